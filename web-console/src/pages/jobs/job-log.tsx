import { Checkbox, Code, Text } from '@mantine/core';
import type { JobId } from '@starling/protocol';
import { useEffect, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useClient, useRead } from '../../api/calls.tsx';
import { Panel } from '../../components/page.tsx';

/** How often a running job is asked for more: its log is written elsewhere and makes no event. */
const askMs = 2000;
/** Characters that are shown at most, from the end. */
const shownLength = 200_000;

/** What a job has written, read on from where it was; follows the end until told not to. */
export function JobLog({ id }: { id: JobId }) {
  const words = useTranslations('jobs');
  const client = useClient();
  const ended = useRead('getJob', { params: { id } }).data?.endedAt != null;
  const [text, setText] = useState('');
  const [follow, setFollow] = useState(true);
  const place = useRef(0);
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    let over = false;
    const ask = async () => {
      const part = await client.call('getJobLog', { params: { id }, query: { from: place.current } });
      if (over || part.next === place.current) return;
      place.current = part.next;
      setText((before) => (before + part.text).slice(-shownLength));
    };
    const attempt = () => void ask().catch(() => undefined); // the page shows what is wrong with the job itself
    attempt();
    const timer = ended ? undefined : setInterval(attempt, askMs);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [client, id, ended]);
  useEffect(() => {
    if (follow) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [text, follow]);
  return (
    <Panel
      title={words('log')}
      about={{ meaning: words('logMeaning'), from: 'getJobLog' }}
      aside={
        <Checkbox
          size="xs"
          label={words('follow')}
          checked={follow}
          onChange={({ currentTarget: { checked } }) => {
            setFollow(checked);
          }}
        />
      }
    >
      {text === '' ? (
        <Text c="dimmed">{words('logEmpty')}</Text>
      ) : (
        <Code block ref={box} mah={420} tabIndex={0} style={{ overflow: 'auto' }}>
          {text}
        </Code>
      )}
    </Panel>
  );
}
