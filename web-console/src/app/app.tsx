import { Center, Loader } from '@mantine/core';
import { useQuery, useQueryClient, type Query } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { ClientProvider } from '../api/calls.tsx';
import { clientOf } from '../api/client.ts';
import type { BrowserSession } from '@starling/protocol/api';
import { currentSession, sessionKey } from '../api/session.ts';
import { Problem } from '../components/problem.tsx';
import { Questions } from '../components/question.tsx';
import { Language, preferredLocale, rememberLocale, type Locale } from '../i18n/index.tsx';
import { LocaleProvider } from './locale.tsx';
import { router } from './routes.tsx';
import { SessionProvider } from './session.tsx';
import { SignIn } from './sign-in.tsx';

/** The console: who is not signed in is asked to; all else is below the session. */
export function App() {
  const [locale, setLocale] = useState<Locale>(preferredLocale);
  const choose = (chosen: Locale) => {
    rememberLocale(chosen);
    setLocale(chosen);
  };
  return (
    <Language locale={locale}>
      <LocaleProvider value={{ locale, choose }}>
        <Gate />
        <Questions />
      </LocaleProvider>
    </Language>
  );
}

/** Answers other than the session itself. */
const others = { predicate: ({ queryKey }: Query) => queryKey[0] !== sessionKey[0] };

function Gate() {
  const cache = useQueryClient();
  const { data, error, isPending, refetch } = useQuery<BrowserSession | null>({
    queryKey: sessionKey,
    queryFn: currentSession,
    staleTime: Infinity,
    refetchOnWindowFocus: 'always', // another tab may have moved the session, or ended it
  });
  const client = useMemo(() => (data ? clientOf(data) : null), [data]);
  const project = data?.project.id;
  const shown = useRef(project);
  useEffect(() => {
    // moved by another tab: nothing of the project before is shown in the new one
    if (shown.current !== undefined && shown.current !== project) void cache.resetQueries(others);
    shown.current = project;
  }, [cache, project]);
  if (isPending) {
    return (
      <Center mih="100vh">
        <Loader type="dots" />
      </Center>
    );
  }
  if (error && !data) {
    return (
      <Center mih="100vh">
        <Problem error={error} retry={() => void refetch()} />
      </Center>
    );
  }
  const signedIn = (session: BrowserSession | null) => {
    // what one person was shown is not there for the next
    cache.removeQueries(others);
    cache.setQueryData(sessionKey, session);
  };
  if (!data || !client) return <SignIn signedIn={signedIn} />;
  return (
    <SessionProvider value={{ session: data, changed: signedIn }}>
      <ClientProvider value={client}>
        <RouterProvider router={router} />
      </ClientProvider>
    </SessionProvider>
  );
}
