/** The bar of messages. */

import Flashbar from '@cloudscape-design/components/flashbar';

import { frameTexts } from '../texts/frame.ts';
import { dismiss, useNotifications } from './notifications.ts';

export function Messages() {
  const notifications = useNotifications();
  return (
    <Flashbar
      items={notifications.map(({ id, type, header, content }) => ({
        id,
        type,
        header,
        content,
        dismissible: true,
        dismissLabel: frameTexts.dismiss,
        onDismiss: () => dismiss(id),
      }))}
    />
  );
}
