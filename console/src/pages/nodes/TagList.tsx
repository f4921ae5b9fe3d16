/** A node's tags in a cell. */

import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { nodesTexts } from '../../texts/nodes.ts';
import { visibleLine } from '../../ui/visible.ts';
import type { Tag } from './tags.ts';

interface Props {
  readonly tags: readonly Tag[] | undefined;
  readonly shown?: number;
}

export function TagList({ tags, shown = 3 }: Props) {
  if (tags === undefined) {
    return null;
  }
  if (tags.length === 0) {
    return (
      <Box color="text-body-secondary" variant="span">
        {nodesTexts.noTags}
      </Box>
    );
  }
  return (
    <SpaceBetween direction="horizontal" size="xxs">
      {tags.slice(0, shown).map(({ Key, Value }) => (
        <Badge key={Key}>{visibleLine(Value === '' ? Key : `${Key}: ${Value}`)}</Badge>
      ))}
      {tags.length > shown && (
        <Box variant="small" color="text-body-secondary">
          {nodesTexts.moreTags(tags.length - shown)}
        </Box>
      )}
    </SpaceBetween>
  );
}
