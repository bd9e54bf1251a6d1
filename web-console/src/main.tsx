import '@mantine/core/styles/baseline.css';
import '@mantine/core/styles/default-css-variables.css';
import '@mantine/core/styles/global.css';
import '@mantine/notifications/styles.css';
import './app/app.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { ProblemError } from '@starling/protocol';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { mayPass, waitOf } from './api/problems.ts';
import { sessionKey } from './api/session.ts';
import { App } from './app/app.tsx';
import { surfaces, theme } from './app/theme.ts';

/** The session has ended: who is asked to sign in again comes back to the same page. */
const onError = (error: Error) => {
  if (error instanceof ProblemError && error.code === 'unauthenticated')
    void cache.invalidateQueries({ queryKey: sessionKey }, { cancelRefetch: false }); // one look for all that failed
};

const cache: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 30_000, // live events say earlier when something is old
      retry: (count, error) => count < 2 && mayPass(error),
      retryDelay: (count, error) => Math.max(400 * 2 ** count, waitOf(error)), // who waits is told soon; live events say when the server is back
    },
  },
});

const place = document.getElementById('app');
if (!place) throw new TypeError('index.html has no #app.');
createRoot(place).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={surfaces} defaultColorScheme="auto">
      <QueryClientProvider client={cache}>
        <Notifications position="top-right" />
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
