/** A node's tags in a cell: as many as there is room for, and the others on demand. */

import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Popover from '@cloudscape-design/components/popover';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { nodesTexts } from '../../texts/nodes.ts';
import { visibleLine } from '../../ui/visible.ts';
import type { Tag } from './tags.ts';
import './tags.css';

interface Props {
  readonly tags: readonly Tag[] | undefined;
  readonly shown?: number;
}

export function TagList({ tags, shown = 2 }: Props) {
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
  // A line that says that there is one more is no shorter than that one.
  const count = tags.length === shown + 1 ? tags.length : shown;
  return (
    <div className="postern-tags">
      {tags.slice(0, count).map((tag) => (
        <TagBadge key={tag.Key} tag={tag} />
      ))}
      {tags.length > count && <AllTags tags={tags} more={tags.length - count} />}
    </div>
  );
}

/** All of them, whole. */
function AllTags({ tags, more }: { readonly tags: readonly Tag[]; readonly more: number }) {
  return (
    <Popover
      renderWithPortal
      header={nodesTexts.columns.tags}
      dismissAriaLabel={nodesTexts.closeTags}
      triggerAriaLabel={nodesTexts.allTags(more, tags.length)}
      content={
        <SpaceBetween size="xxs">
          {tags.map((tag) => (
            <span key={tag.Key} className="postern-tag-whole">
              {textOf(tag)}
            </span>
          ))}
        </SpaceBetween>
      }
    >
      {nodesTexts.moreTags(more)}
    </Popover>
  );
}

/** One line; what is too long for it can be pointed at. */
function TagBadge({ tag }: { readonly tag: Tag }) {
  return (
    <span className="postern-tag" title={textOf(tag)}>
      <Badge>
        <span className="postern-tag-text">{textOf(tag)}</span>
      </Badge>
    </span>
  );
}

function textOf({ Key, Value }: Tag): string {
  return visibleLine(Value === '' ? Key : `${Key}: ${Value}`);
}
