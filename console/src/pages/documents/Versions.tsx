/** The versions of a document: which is used, who made each, and what it says. */

import { useState } from 'react';

import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import Link from '@cloudscape-design/components/link';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { Loading } from '../../app/Loading.tsx';
import { notify } from '../../app/notifications.ts';
import { href } from '../../router/location.ts';
import { documentsTexts } from '../../texts/documents.ts';
import { partTexts } from '../../texts/parts.ts';
import { CodeView } from '../../ui/code/CodeView.tsx';
import { Failure } from '../../ui/denial/Failure.tsx';
import { ConfirmDelete } from '../../ui/forms/ConfirmDelete.tsx';
import { reported } from '../../ui/forms/reported.ts';
import { useResource } from '../../ui/resource.ts';
import { Listing } from '../../ui/table/Listing.tsx';
import { Time } from '../../ui/Time.tsx';
import { visibleLine } from '../../ui/visible.ts';
import { eventPath } from '../audit/subjects.ts';
import type { AuditRecord } from '../audit/record.ts';
import { authorsOf, contentOf, PREFERENCES, replaceDocument, versionsOf } from './document.ts';

const texts = documentsTexts.versions;

interface Props {
  readonly name: string;
  /** Called when which version is used, or there is, has changed. */
  readonly onChange: () => void;
}

interface Row {
  readonly info: ssm.DocumentVersionInfo;
  readonly number: string;
  readonly isUsed: boolean;
  readonly author: AuditRecord | undefined;
}

export function Versions({ name, onChange }: Props) {
  const rows = useResource(async (signal) => {
    const [versions, authors] = await Promise.all([versionsOf(name, signal), authorsOf(name, signal)]);
    return versions.map((info, place): Row => {
      const number = info.DocumentVersion ?? '';
      // Of the preferences the latest version is used, whatever the default is.
      const isUsed = name === PREFERENCES ? place === 0 : info.IsDefaultVersion === true;
      return { info, number, isUsed, author: authors.get(number) };
    });
  }, [name]);
  const [shown, setShown] = useState<string>();
  const [deleted, setDeleted] = useState<string>();
  const changed = () => {
    rows.reload();
    onChange();
  };
  const use = async ({ number, info }: Row) => {
    const work =
      name === PREFERENCES
        ? contentOf(name, number).then((content) => replaceDocument(name, content, info.DocumentFormat === 'YAML' ? 'YAML' : 'JSON'))
        : call(ssm.UpdateDocumentDefaultVersion, { Name: name, DocumentVersion: number });
    if (await reported(work)) {
      notify({ type: 'success', header: texts.used(visibleLine(number)) });
      changed();
    }
  };
  return (
    <>
      <Listing
        title={texts.title}
        things={texts.title.toLowerCase()}
        variant="container"
        resource={rows}
        keyOf={({ number }) => number}
        textOf={({ number, info, author }) => `${number} ${info.VersionName ?? ''} ${author?.who.name ?? ''}`}
        columns={[
          {
            id: 'version',
            header: texts.version,
            isRowHeader: true,
            cell: ({ number, isUsed }) => (
              <>
                {visibleLine(number)} {isUsed && <Badge color="green">{texts.inUse}</Badge>}
              </>
            ),
          },
          { id: 'name', header: texts.name, cell: ({ info }) => visibleLine(info.VersionName ?? '') || documentsTexts.absent },
          { id: 'created', header: texts.created, cell: ({ info }) => <Time at={info.CreatedDate} /> },
          {
            id: 'author',
            header: texts.author,
            cell: ({ author }) =>
              author ? <Link href={href(eventPath(author.eventId))}>{visibleLine(author.who.name)}</Link> : documentsTexts.absent,
          },
          {
            id: 'actions',
            header: partTexts.list.actions,
            cell: (row) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button variant="inline-link" ariaLabel={`${texts.show} ${visibleLine(row.number)}`} onClick={() => setShown(row.number)}>
                  {texts.show}
                </Button>
                {!row.isUsed && (
                  <Button variant="inline-link" ariaLabel={`${texts.use} ${visibleLine(row.number)}`} onClick={() => void use(row)}>
                    {texts.use}
                  </Button>
                )}
                {row.info.IsDefaultVersion !== true && (
                  <Button
                    variant="inline-link"
                    ariaLabel={`${partTexts.remove.confirm} ${visibleLine(row.number)}`}
                    onClick={() => setDeleted(row.number)}
                  >
                    {partTexts.remove.confirm}
                  </Button>
                )}
              </SpaceBetween>
            ),
          },
        ]}
        empty={{ title: texts.title, body: '' }}
      />
      {shown !== undefined && <VersionModal name={name} number={shown} onClose={() => setShown(undefined)} />}
      {deleted !== undefined && (
        <ConfirmDelete
          kind={texts.version.toLowerCase()}
          name={deleted}
          consequences={texts.deletion}
          onDelete={async () => void (await call(ssm.DeleteDocument, { Name: name, DocumentVersion: deleted }))}
          onDone={() => {
            setDeleted(undefined);
            changed();
          }}
          onClose={() => setDeleted(undefined)}
        />
      )}
    </>
  );
}

interface VersionModalProps {
  readonly name: string;
  readonly number: string;
  readonly onClose: () => void;
}

function VersionModal({ name, number, onClose }: VersionModalProps) {
  const content = useResource((signal) => contentOf(name, number, undefined, signal), [name, number]);
  return (
    <Modal visible size="large" header={texts.shown(visibleLine(number))} closeAriaLabel={partTexts.forms.close} onDismiss={onClose}>
      {content.error !== undefined && <Failure error={content.error} retry={content.reload} />}
      {content.value === undefined && content.error === undefined && <Loading />}
      {content.value !== undefined && <CodeView text={content.value.trimEnd()} label={texts.shown(visibleLine(number))} />}
    </Modal>
  );
}
