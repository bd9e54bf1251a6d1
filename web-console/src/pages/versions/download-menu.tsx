import { Button, Menu } from '@mantine/core';
import type { VersionId } from '@starling/protocol';
import { IconDownload } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';

/** The version as a file: plain links, which the session's cookie lets through. */
export function DownloadMenu({ id }: { id: VersionId }) {
  const words = useTranslations('models.version');
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} />}>
          {words('download')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {(['safetensors', 'onnx'] as const).map((format) => (
          <Menu.Item
            key={format}
            component="a"
            href={`/v1/versions/${id}/download?format=${format}`}
            download={`${id}.${format}`}
          >
            {words(`format.${format}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
