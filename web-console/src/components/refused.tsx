import { Text } from '@mantine/core';
import { useRefusal } from '../api/refusal.ts';

/** Why something was not done: what went wrong, and beneath it the server's own words. */
export function Refused({ error }: { error: Error }) {
  const { title, detail } = useRefusal()(error);
  return (
    <>
      <Text span display="block" size="sm" fw={600}>
        {title}
      </Text>
      {detail !== undefined && (
        <Text
          span
          display="block"
          size="sm"
          lang="en"
          style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}
        >
          {detail}
        </Text>
      )}
    </>
  );
}
