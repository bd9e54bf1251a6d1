import '@mantine/core/styles/baseline.css';
import '@mantine/core/styles/default-css-variables.css';
import '@mantine/core/styles/global.css';
import '@mantine/notifications/styles.css';
import './app/app.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { ProblemError } from '@starling/protocol';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { mayPass } from './api/problems.ts';
import { sessionKey } from './api/session.ts';
import { App } from './app/app.tsx';
import { surfaces, theme } from './app/theme.ts';

const cache = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      // the session has ended: who is asked to sign in again comes back to the same page
      if (error instanceof ProblemError && error.code === 'unauthenticated')
        void cache.invalidateQueries({ queryKey: sessionKey });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 30_000, // live events say earlier when something is old
      retry: (count, error) => count < 2 && mayPass(error),
      retryDelay: (count) => 400 * 2 ** count, // who waits is told soon; live events say when the server is back
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
