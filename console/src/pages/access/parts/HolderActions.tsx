/** What can be done with a user, a group or a role as a whole. */

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
  /** A role keeps its name. */
  readonly onRename?: () => void;
  readonly onDelete: () => void;
}

export function HolderActions({ arn, onRevoke, onRename, onDelete }: Props) {
  const texts = accessTexts.details;
  const choices = [
    { id: 'rename', text: accessTexts.rename.action, choose: onRename },
    { id: 'revoke', text: accessTexts.revoke.action, choose: onRevoke },
    { id: 'delete', text: texts.delete, choose: onDelete },
  ].filter(({ choose }) => choose !== undefined);
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <ButtonDropdown
        items={choices.map(({ id, text }) => ({ id, text }))}
        onItemClick={({ detail }) => choices.find(({ id }) => id === detail.id)?.choose?.()}
      >
        {texts.actions}
      </ButtonDropdown>
      <Button href={href(simulatorPath({ principal: arn }))}>{texts.simulate}</Button>
    </SpaceBetween>
  );
}
