import { Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { useTranslations } from 'use-intl';

/** Asks before something that cannot be undone: what would happen, and a way back. */
export function useConfirm(): (question: {
  title: string;
  text: string;
  confirm: string;
  act: () => void;
}) => void {
  const cancel = useTranslations('shell.act')('cancel');
  return ({ title, text, confirm, act }) => {
    modals.openConfirmModal({
      title,
      children: <Text>{text}</Text>,
      labels: { confirm, cancel },
      confirmProps: { color: 'red' },
      onConfirm: act,
    });
  };
}
