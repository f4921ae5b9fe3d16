/** All documents. */

import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';

import { all } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { href } from '../../router/location.ts';
import { documentsTexts as texts } from '../../texts/documents.ts';
import { useResource } from '../../ui/resource.ts';
import { Listing } from '../../ui/table/Listing.tsx';
import { visibleLine } from '../../ui/visible.ts';
import { documentPath, documentsPaths } from './paths.ts';

export default function DocumentsPage() {
  const documents = useResource((signal) => all(ssm.ListDocuments, {}, (page) => page.DocumentIdentifiers, signal), []);
  return (
    <Listing
      title={texts.title}
      description={texts.description}
      things={texts.things}
      variant="full-page"
      filterName="find"
      actions={
        <Button variant="primary" href={href(documentsPaths.create)}>
          {texts.create.title}
        </Button>
      }
      resource={documents}
      keyOf={({ Name = '' }) => Name}
      textOf={({ Name = '', DocumentType = '', Owner = '' }) => `${Name} ${DocumentType} ${Owner}`}
      columns={[
        {
          id: 'name',
          header: texts.name,
          isRowHeader: true,
          width: 280,
          sortBy: ({ Name = '' }) => Name,
          cell: ({ Name = '' }) => <Link href={href(documentPath(Name))}>{visibleLine(Name)}</Link>,
        },
        {
          id: 'type',
          header: texts.type,
          sortBy: ({ DocumentType = '' }) => DocumentType,
          cell: ({ DocumentType = '' }) => visibleLine(DocumentType),
        },
        {
          id: 'owner',
          header: texts.owner,
          sortBy: ({ Owner = '' }) => Owner,
          cell: ({ Owner = '' }) => (Owner === 'Amazon' ? texts.ofAmazon : texts.ofAccount),
        },
        {
          id: 'platforms',
          header: texts.platforms,
          cell: ({ PlatformTypes = [] }) => visibleLine(PlatformTypes.join(', ')) || texts.absent,
        },
        { id: 'version', header: texts.version, cell: ({ DocumentVersion = '' }) => visibleLine(DocumentVersion) },
        { id: 'schema', header: texts.schema, cell: ({ SchemaVersion = '' }) => visibleLine(SchemaVersion) },
      ]}
      empty={{ title: texts.empty, body: texts.emptyBody }}
    />
  );
}
