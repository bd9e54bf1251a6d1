import { Anchor, Button, Code, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ModelSummary } from '@starling/protocol';
import { IconUpload } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useList } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { Identity } from '../../components/identity.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Page } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { Ago } from '../../components/time.tsx';
import { UploadModel } from './upload-model.tsx';

/** All models of the project, newest first. */
export function ModelList() {
  const words = useTranslations('models');
  const shell = useTranslations('shell.act');
  const may = useMay();
  const { count } = useQuantities();
  const [opened, { open, close }] = useDisclosure(false);
  const list = useList('listModels', {});
  const upload = may('uploadModel') && (
    <Button leftSection={<IconUpload size={16} />} onClick={open}>
      {words('upload.name')}
    </Button>
  );
  const columns: Column<ModelSummary & { id?: string }>[] = [
    {
      head: words('column.name'),
      cell: ({ name, digest }) => (
        <Anchor component={Link} to={`/models/${digest}`} fw={600} inherit>
          {name}
        </Anchor>
      ),
    },
    {
      head: words('column.parameters'),
      about: { meaning: words('parametersMeaning'), from: 'listModels' },
      right: true,
      cell: ({ parameters }) => count(parameters),
    },
    {
      head: words('column.input'),
      about: { meaning: words('inputMeaning'), from: 'listModels' },
      wide: true,
      cell: ({ inputShape }) => <Code>{inputShape.join(' × ')}</Code>,
    },
    {
      head: words('column.classes'),
      about: { meaning: words('classesMeaning'), from: 'listModels' },
      right: true,
      wide: true,
      cell: ({ classes }) => count(classes),
    },
    { head: words('column.digest'), wide: true, cell: ({ digest }) => <Identity id={digest} /> },
    { head: words('column.created'), wide: true, cell: ({ createdAt }) => <Ago at={createdAt} /> },
  ];
  return (
    <Page title={words('title')} lead={words('lead')} actions={upload}>
      <ItemList
        name={words('title')}
        list={list}
        columns={columns}
        keyOf={({ digest }) => digest}
        empty={
          <Nothing title={words('empty')} action={upload}>
            {words(may('uploadModel') ? 'emptyHint' : 'emptyViewer')}
          </Nothing>
        }
      />
      <Modal
        opened={opened}
        onClose={close}
        title={words('upload.title')}
        size="lg"
        closeButtonProps={{ 'aria-label': shell('cancel') }}
      >
        <UploadModel leave={close} />
      </Modal>
    </Page>
  );
}
