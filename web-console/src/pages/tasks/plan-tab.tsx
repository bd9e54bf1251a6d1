import { Badge, Code, CopyButton, Button, SimpleGrid, Table, Text } from '@mantine/core';
import type { Task } from '@starling/protocol';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { Panel } from '../../components/page.tsx';
import { valueAt, type JsonObject } from '../../components/plan/document.ts';
import { SettingValue } from '../../components/plan/setting-value.tsx';
import {
  furtherOf,
  inOrder,
  optionalSections,
  sections,
  settingsOf,
} from '../../components/plan/settings.ts';

/** The plan of a task: what each setting is and means, and the whole as JSON. */
export function PlanTab({ task }: { task: Task }) {
  const words = useTranslations('plan');
  const plan = task.plan as JsonObject; // a plan is JSON
  const off = sections.filter((name) => name in optionalSections && plan[name] === undefined);
  const further = furtherOf(plan);
  const about = { meaning: words('meaning'), from: 'getTask' } as const;
  return (
    <>
      <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }} spacing="md">
        {sections
          .filter((name) => !off.includes(name))
          .map((name) => (
            <Panel key={name} title={words(`section.${name}`)} about={about}>
              <Text size="sm" c="dimmed">
                {words(`about.${name}`)}
              </Text>
              <Table layout="fixed" verticalSpacing={6} horizontalSpacing={0}>
                <Table.Tbody>
                  {settingsOf(plan, name)
                    .filter(({ path, optional }) => !optional || valueAt(plan, path) !== undefined)
                    .map((setting) => (
                      <Table.Tr key={setting.path}>
                        <Table.Th scope="row" fw={400} pr="sm" style={{ verticalAlign: 'top' }}>
                          <Text size="sm">{words(`name.${setting.word}`)}</Text>
                          <Text size="xs" c="dimmed">
                            {words(`hint.${setting.word}`)}
                          </Text>
                        </Table.Th>
                        <Table.Td w="42%" style={{ verticalAlign: 'top' }} fw={600}>
                          <SettingValue setting={setting} value={valueAt(plan, setting.path)} />
                        </Table.Td>
                      </Table.Tr>
                    ))}
                </Table.Tbody>
              </Table>
            </Panel>
          ))}
        {(further.length > 0 || off.length > 0) && (
          <Panel title={words('further')} about={about}>
            <Table layout="fixed" verticalSpacing={6} horizontalSpacing={0}>
              <Table.Tbody>
                {further.map(([path, value]) => (
                  <Table.Tr key={path}>
                    <Table.Th scope="row" fw={400}>
                      <Code bg="transparent" p={0} style={{ overflowWrap: 'anywhere' }}>
                        {path}
                      </Code>
                    </Table.Th>
                    <Table.Td w="42%">
                      <SettingValue setting={undefined} value={value} />
                    </Table.Td>
                  </Table.Tr>
                ))}
                {off.map((name) => (
                  <Table.Tr key={name}>
                    <Table.Th scope="row" fw={400}>
                      <Text size="sm">{words(`section.${name}`)}</Text>
                    </Table.Th>
                    <Table.Td w="42%">
                      <Badge variant="default" tt="none">
                        {words('off')}
                      </Badge>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Panel>
        )}
      </SimpleGrid>
      <PlanJson plan={inOrder(plan)} />
    </>
  );
}

function PlanJson({ plan }: { plan: JsonObject }) {
  const words = useTranslations();
  const text = JSON.stringify(plan, null, 2);
  return (
    <Panel
      title={words('plan.json')}
      aside={
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button
              size="xs"
              variant="default"
              leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
              onClick={copy}
            >
              {words(copied ? 'shell.act.copied' : 'shell.act.copy')}
            </Button>
          )}
        </CopyButton>
      }
    >
      <Code
        block
        bg="transparent"
        fz="xs"
        p={0}
        mah={420}
        tabIndex={0}
        role="region"
        aria-label={words('plan.json')}
        style={{ overflow: 'auto' }}
      >
        {text}
      </Code>
    </Panel>
  );
}
