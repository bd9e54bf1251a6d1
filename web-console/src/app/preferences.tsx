import { ActionIcon, Menu, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { IconCheck, IconLanguage, IconMoon, IconSun } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { locales, type Locale } from '../i18n/index.tsx';
import { useLocaleChoice } from './locale.tsx';

export function LanguageMenu() {
  const words = useTranslations('shell.session');
  const { locale, choose } = useLocaleChoice();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={words('language')}>
          <IconLanguage size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(Object.keys(locales) as Locale[]).map((each) => (
          <Menu.Item
            key={each}
            lang={each}
            leftSection={<IconCheck size={16} visibility={each === locale ? 'visible' : 'hidden'} />}
            onClick={() => {
              choose(each);
            }}
          >
            {locales[each]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

export function SchemeToggle() {
  const words = useTranslations('shell.session');
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme('light') === 'dark';
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={words(dark ? 'light' : 'dark')}
      onClick={() => {
        setColorScheme(dark ? 'light' : 'dark');
      }}
    >
      {dark ? <IconSun size={20} /> : <IconMoon size={20} />}
    </ActionIcon>
  );
}
