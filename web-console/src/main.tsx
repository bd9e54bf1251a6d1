import '@mantine/core/styles/baseline.css';
import '@mantine/core/styles/default-css-variables.css';
import '@mantine/core/styles/global.css';
import '@mantine/notifications/styles.css';
import './app/app.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { ProblemError } from '@starling/protocol';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { surfaces, theme } from './app/theme.ts';

const cache = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000, // live events say earlier when something is old
      retry: (count, error) => count < 3 && mayPass(error),
    },
  },
});

/** A server that does not answer, fails, or has too much to do may answer the next time. */
function mayPass(error: Error): boolean {
  return !(error instanceof ProblemError) || error.status >= 500 || error.code === 'rate-limited';
}

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
