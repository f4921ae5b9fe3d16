/** One document: what it takes, what it says, and its versions. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { Loading } from '../../app/Loading.tsx';
import { href, navigate } from '../../router/location.ts';
import type { PageProps } from '../../router/route.ts';
import { documentsTexts as texts } from '../../texts/documents.ts';
import { partTexts } from '../../texts/parts.ts';
import { CodeView } from '../../ui/code/CodeView.tsx';
import { CopyText } from '../../ui/code/CopyText.tsx';
import { Failure } from '../../ui/denial/Failure.tsx';
import { Details } from '../../ui/Details.tsx';
import { ConfirmDelete } from '../../ui/forms/ConfirmDelete.tsx';
import { useResource, type Resource } from '../../ui/resource.ts';
import { Listing } from '../../ui/table/Listing.tsx';
import { visible, visibleLine } from '../../ui/visible.ts';
import { isOwn } from './document.ts';
import { editDocumentPath, documentsPaths } from './paths.ts';
import { Versions } from './Versions.tsx';

export default function DocumentPage({ parameters }: PageProps) {
  const name = parameters['name'] ?? '';
  const document = useResource(async (signal) => (await call(ssm.DescribeDocument, { Name: name }, signal)).Document ?? {}, [name]);
  const [isDeleting, setIsDeleting] = useState(false);
  const isSession = document.value?.DocumentType === 'Session';
  const canChange = document.value !== undefined && isOwn(document.value);
  return (
    <Details
      name={name}
      resource={document}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          {canChange && <Button onClick={() => setIsDeleting(true)}>{partTexts.remove.confirm}</Button>}
          {canChange && <Button href={href(editDocumentPath(name))}>{texts.edit.crumb}</Button>}
          {isSession && (
            <Button variant="primary" href={href(`/start-session?${new URLSearchParams({ document: name })}`)}>
              {texts.start}
            </Button>
          )}
        </SpaceBetween>
      }
      facts={(value) => factsOf(value)}
      parts={({ Parameters = [] }) => [
        { id: 'content', label: texts.content, content: <Content name={name} /> },
        {
          id: 'parameters',
          label: `${texts.parameters} (${Parameters.length})`,
          content: <ParameterTable document={document} />,
        },
        ...(canChange
          ? [{ id: 'versions', label: texts.versions.title, content: <Versions name={name} onChange={document.reload} /> }]
          : []),
      ]}
    >
      {isDeleting && (
        <ConfirmDelete
          kind={texts.kind}
          name={name}
          consequences={texts.deletion}
          onDelete={async () => void (await call(ssm.DeleteDocument, { Name: name }))}
          onDone={() => navigate(documentsPaths.all)}
          onClose={() => setIsDeleting(false)}
        />
      )}
    </Details>
  );
}

function factsOf(value: ssm.DocumentDescription) {
  const text = (given: string | undefined) => visibleLine(given ?? '') || texts.absent;
  return [
    { label: texts.type, value: text(value.DocumentType) },
    { label: texts.owner, value: value.Owner === 'Amazon' ? texts.ofAmazon : texts.ofAccount },
    { label: texts.platforms, value: text(value.PlatformTypes?.join(', ')) },
    { label: texts.version, value: text(value.DocumentVersion) },
    { label: texts.latest, value: text(value.LatestVersion) },
    { label: texts.defaultVersion, value: text(value.DefaultVersion) },
    { label: texts.status, value: text(value.Status) },
    { label: texts.schema, value: text(value.SchemaVersion) },
    { label: texts.format, value: text(value.DocumentFormat) },
    { label: texts.hash, value: value.Hash === undefined ? texts.absent : <CopyText text={value.Hash} /> },
    { label: texts.about, value: visible(value.Description ?? '') || texts.absent },
  ];
}

function Content({ name }: { readonly name: string }) {
  const content = useResource(async (signal) => (await call(ssm.GetDocument, { Name: name }, signal)).Content ?? '', [name]);
  return (
    <Container header={<Header variant="h2">{texts.content}</Header>}>
      {content.error !== undefined && <Failure error={content.error} retry={content.reload} />}
      {content.value === undefined && content.error === undefined && <Loading />}
      {content.value !== undefined && <CodeView text={content.value.trimEnd()} label={texts.content} />}
    </Container>
  );
}

function ParameterTable({ document }: { readonly document: Resource<ssm.DocumentDescription> }) {
  const parameters = { ...document, value: document.value?.Parameters ?? [] };
  return (
    <Listing
      title={texts.parameters}
      things={texts.parameters.toLowerCase()}
      variant="container"
      resource={parameters}
      keyOf={({ Name = '' }) => Name}
      textOf={({ Name = '', Description = '' }) => `${Name} ${Description}`}
      columns={[
        {
          id: 'name',
          header: texts.parameter,
          isRowHeader: true,
          sortBy: ({ Name = '' }) => Name,
          cell: ({ Name = '' }) => visibleLine(Name),
        },
        { id: 'type', header: texts.type, cell: ({ Type = 'String' }) => visibleLine(Type) },
        {
          id: 'default',
          header: texts.default,
          cell: ({ DefaultValue = '' }) => <Box variant="code">{visible(DefaultValue) || texts.absent}</Box>,
        },
        { id: 'about', header: texts.about, cell: ({ Description = '' }) => visible(Description) || texts.absent },
      ]}
      empty={{ title: texts.noParameters, body: texts.noParametersBody }}
    />
  );
}
