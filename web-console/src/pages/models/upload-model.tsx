import { Alert, Button, FileInput, JsonInput, Stack, Text } from '@mantine/core';
import type { ProblemError } from '@starling/protocol';
import { IconFileTypeJs } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct } from '../../api/calls.tsx';
import { messageOf } from '../../api/problems.ts';
import { DialogFoot } from '../../components/dialog-foot.tsx';

/** Takes a model as a JSON file or as text; what is wrong with it stands below, in the server's words. */
export function UploadModel({ leave }: { leave: () => void }) {
  const words = useTranslations('models.upload');
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const upload = useAct('uploadModel', {
    changes: ['listModels'],
    onProblem: (refused: ProblemError) => {
      setProblem(messageOf(refused));
    },
  });
  const submit = () => {
    setProblem(undefined);
    let ir: unknown;
    try {
      ir = JSON.parse(text);
    } catch (error) {
      setProblem(words('noJson', { message: error instanceof Error ? error.message : '' }));
      return;
    }
    if (typeof ir !== 'object' || ir === null) {
      setProblem(words('noJson', { message: '' }));
      return;
    }
    upload.mutate(
      { body: ir },
      {
        onSuccess: ({ digest }) => {
          leave();
          void navigate({ to: '/models/$digest', params: { digest } });
        },
      },
    );
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {words('lead')}
        </Text>
        <FileInput
          label={words('file')}
          accept="application/json,.json"
          leftSection={<IconFileTypeJs size={16} />}
          placeholder={words('choose')}
          onChange={(file) => {
            void file?.text().then(setText);
          }}
        />
        <JsonInput
          label={words('text')}
          autosize
          minRows={6}
          maxRows={16}
          value={text}
          onChange={setText}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
        {problem !== undefined && (
          <Alert color="red" role="alert" title={words('refused')}>
            <Text size="sm" style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
              {problem}
            </Text>
          </Alert>
        )}
        <DialogFoot close={leave}>
          <Button type="submit" disabled={text.trim() === ''} loading={upload.isPending}>
            {words('name')}
          </Button>
        </DialogFoot>
      </Stack>
    </form>
  );
}
