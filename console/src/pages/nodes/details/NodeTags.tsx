/** A node's tags, and the way to change them. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';

import { Loading } from '../../../app/Loading.tsx';
import { nodesTexts as texts } from '../../../texts/nodes.ts';
import { ProblemAlert } from '../../../ui/ProblemAlert.tsx';
import { useResource } from '../../../ui/resource.ts';
import type { Node } from '../node.ts';
import { TagList } from '../TagList.tsx';
import { readTags, TAGS_MAX } from '../tags.ts';
import { TagsModal } from './TagsModal.tsx';

export function NodeTags({ node }: { readonly node: Node }) {
  const tags = useResource((signal) => readTags(node.InstanceId, signal), [node.InstanceId]);
  const [isEditing, setIsEditing] = useState(false);
  return (
    <Container
      header={
        <Header
          variant="h2"
          counter={tags.value && `(${tags.value.length})`}
          actions={
            <Button disabled={!tags.value} onClick={() => setIsEditing(true)}>
              {texts.editTags}
            </Button>
          }
        >
          {texts.details.tags}
        </Header>
      }
    >
      {tags.error !== undefined && <ProblemAlert error={tags.error} retry={tags.reload} />}
      {tags.isLoading && !tags.value ? <Loading /> : <TagList tags={tags.value} shown={TAGS_MAX} />}
      {isEditing && tags.value && (
        <TagsModal
          node={node}
          tags={tags.value}
          onClose={() => {
            setIsEditing(false);
            tags.reload();
          }}
        />
      )}
    </Container>
  );
}
