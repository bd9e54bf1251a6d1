import { Text } from '@mantine/core';
import { useFormatter, useTranslations } from 'use-intl';
import { useQuantities } from '../quantities.ts';
import { isObject, type Json } from './document.ts';
import type { Setting } from './settings.ts';
import { labelsAsText } from './values.ts';

/** Settings as people read them, in the language of the page. */
function useSettingText(): (setting: Setting | undefined, value: Json | undefined) => string {
  const words = useTranslations('plan');
  const format = useFormatter();
  const { duration, percent } = useQuantities();
  const number = (value: Json | undefined) =>
    typeof value === 'number' ? format.number(value, { maximumSignificantDigits: 8 }) : JSON.stringify(value);
  return (setting, value) => {
    if (value === undefined) return words('unset');
    switch (setting?.kind) {
      case 'duration':
        return typeof value === 'number' ? duration(value) : JSON.stringify(value);
      case 'share':
        return typeof value === 'number' ? percent(value) : JSON.stringify(value);
      case 'flag':
        return words(value === true ? 'yes' : 'no');
      case 'numbers':
        return Array.isArray(value) ? value.map(number).join(' · ') : number(value);
      case 'labels':
        return labelsAsText(value);
      case 'choice': {
        const known = setting.options.some((option) => option === value);
        // every option of every choice is among the words: a test goes through them
        return known ? words(`choice.${String(value)}` as 'choice.sgd') : JSON.stringify(value);
      }
      case 'adaptation-rate':
        return value === 'learned' ? words('learned') : number(value);
      case 'schedule':
        return isObject(value)
          ? words('fromTo', { from: number(value['from']), to: number(value['to']) })
          : number(value);
      default:
        return number(value);
    }
  };
}

/** The value of one setting. */
export function SettingValue({ setting, value }: { setting: Setting | undefined; value: Json | undefined }) {
  const text = useSettingText();
  return (
    <Text size="sm" {...(value === undefined && { c: 'dimmed' })} style={{ overflowWrap: 'anywhere' }}>
      {text(setting, value)}
    </Text>
  );
}
