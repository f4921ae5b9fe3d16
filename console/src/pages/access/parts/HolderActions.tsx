/** What can be done with a user or a role as a whole. */

import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { simulatorPath } from '../../../ui/denial/simulatorPath.ts';

interface Props {
  readonly arn: string | undefined;
  /** A group has no sessions. */
  readonly onRevoke?: () => void;
  readonly onDelete: () => void;
}

export function HolderActions({ arn, onRevoke, onDelete }: Props) {
  const texts = accessTexts.details;
  const items = [
    ...(onRevoke ? [{ id: 'revoke', text: accessTexts.revoke.action }] : []),
    { id: 'delete', text: texts.delete },
  ];
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <ButtonDropdown items={items} onItemClick={({ detail }) => (detail.id === 'revoke' ? onRevoke?.() : onDelete())}>
        {texts.actions}
      </ButtonDropdown>
      <Button href={href(simulatorPath({ principal: arn }))}>{texts.simulate}</Button>
    </SpaceBetween>
  );
}
