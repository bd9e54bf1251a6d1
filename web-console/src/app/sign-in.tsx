import { Alert, Button, Center, Divider, Group, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { useTranslations } from 'use-intl';
import type { BrowserSession } from '@starling/protocol/api';
import { providerSignIn, signIn, signInWays } from '../api/session.ts';
import { Mark } from '../components/mark.tsx';
import { Refused } from '../components/refused.tsx';
import { LanguageMenu, SchemeToggle } from './preferences.tsx';

/** Asks for an API key and puts a session in its place, or sends people to their provider. */
export function SignIn({ signedIn }: { signedIn: (session: BrowserSession) => void }) {
  const words = useTranslations('shell.signIn');
  const [missing, setMissing] = useState(false);
  const attempt = useMutation<BrowserSession, Error, string>({ mutationFn: signIn, onSuccess: signedIn });
  const ways = useQuery({ queryKey: ['ways'], queryFn: signInWays, staleTime: Infinity });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const key = new FormData(event.currentTarget).get('key');
    const given = typeof key === 'string' ? key.trim() : '';
    setMissing(given === '');
    if (given !== '') attempt.mutate(given);
  };
  return (
    <Center mih="100vh" p="md" component="main">
      <Stack w="100%" maw={400} gap="lg">
        <Group justify="space-between">
          <Group gap="sm">
            <Mark size={40} />
            <Text fw={700} size="xl">
              Starling
            </Text>
          </Group>
          <Group gap="xs">
            <LanguageMenu />
            <SchemeToggle />
          </Group>
        </Group>
        <Stack className="surface" p="xl" gap="md">
          <div>
            <Title order={1}>{words('title')}</Title>
            <Text c="dimmed">{words('lead')}</Text>
          </div>
          {ways.data?.oidc && (
            <>
              <Button component="a" href={providerSignIn()} fullWidth>
                {words('oidc')}
              </Button>
              <Divider label={words('or')} />
            </>
          )}
          <form onSubmit={submit} noValidate>
            <Stack>
              <PasswordInput
                name="key"
                label={words('key')}
                description={words('keyHint')}
                autoComplete="off"
                data-autofocus
                error={missing ? words('missing') : undefined}
              />
              {attempt.error && (
                <Alert color="red" role="alert">
                  <Refused error={attempt.error} />
                </Alert>
              )}
              <Button
                type="submit"
                loading={attempt.isPending}
                fullWidth
                variant={ways.data?.oidc ? 'default' : 'filled'}
              >
                {words('submit')}
              </Button>
            </Stack>
          </form>
        </Stack>
      </Stack>
    </Center>
  );
}
