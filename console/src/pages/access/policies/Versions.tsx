/** The versions of a policy. */

import { useState } from 'react';

import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { notify } from '../../../app/notifications.ts';
import { navigate } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { ConfirmDelete } from '../../../ui/forms/ConfirmDelete.tsx';
import { Listing } from '../../../ui/table/Listing.tsx';
import { reported } from '../../../ui/forms/reported.ts';
import { Time } from '../parts/Time.tsx';
import { policyPath } from '../paths.ts';
import { versionsOf } from './policy.ts';

const texts = accessTexts.policies;

interface Props {
  readonly arn: string;
  readonly isOurs: boolean;
  readonly inForce: string;
  readonly onChange: () => void;
}

export function Versions({ arn, isOurs, inForce, onChange }: Props) {
  const versions = useResource((signal) => versionsOf(arn, signal), [arn, inForce]);
  const [deleted, setDeleted] = useState<string>();
  const putInForce = async (versionId: string) => {
    if (await reported(call(iam.SetDefaultPolicyVersion, { PolicyArn: arn, VersionId: versionId }))) {
      notify({ type: 'success', header: texts.madeDefault(versionId) });
      onChange();
    }
  };
  return (
    <>
      <Listing
        title={texts.versions}
        things={texts.versions.toLowerCase()}
        variant="container"
        resource={versions}
        keyOf={({ VersionId = '' }) => VersionId}
        textOf={({ VersionId = '' }) => VersionId}
        columns={[
          {
            id: 'version',
            header: texts.version,
            isRowHeader: true,
            cell: ({ VersionId = '', IsDefaultVersion }) => (
              <>
                {visibleLine(VersionId)} {IsDefaultVersion && <Badge color="green">{texts.inForce}</Badge>}
              </>
            ),
          },
          {
            id: 'created',
            header: accessTexts.created,
            cell: ({ CreateDate }) => <Time seconds={CreateDate} absent={accessTexts.unknown} />,
          },
          {
            id: 'actions',
            header: partTexts.list.actions,
            cell: (version) => (
              <VersionActions
                version={version}
                canChange={isOurs && !version.IsDefaultVersion}
                onShow={(id) => navigate(`${policyPath(arn)}?${new URLSearchParams({ tab: 'document', version: id })}`)}
                onPutInForce={(id) => void putInForce(id)}
                onDelete={setDeleted}
              />
            ),
          },
        ]}
        empty={{ title: texts.versions, body: '' }}
      />
      {deleted !== undefined && (
        <ConfirmDelete
          kind={texts.version.toLowerCase()}
          name={deleted}
          consequences={accessTexts.remove.version}
          onDelete={async () => void (await call(iam.DeletePolicyVersion, { PolicyArn: arn, VersionId: deleted }))}
          onDone={() => {
            setDeleted(undefined);
            versions.reload();
          }}
          onClose={() => setDeleted(undefined)}
        />
      )}
    </>
  );
}

interface ActionsProps {
  readonly version: iam.PolicyVersion;
  readonly canChange: boolean;
  readonly onShow: (id: string) => void;
  readonly onPutInForce: (id: string) => void;
  readonly onDelete: (id: string) => void;
}

function VersionActions({ version: { VersionId: id = '' }, canChange, onShow, onPutInForce, onDelete }: ActionsProps) {
  return (
    <SpaceBetween direction="horizontal" size="s">
      <Button variant="inline-link" ariaLabel={`${texts.show} ${visibleLine(id)}`} onClick={() => onShow(id)}>
        {texts.show}
      </Button>
      {canChange && (
        <Button variant="inline-link" ariaLabel={`${texts.makeDefault}: ${visibleLine(id)}`} onClick={() => onPutInForce(id)}>
          {texts.makeDefault}
        </Button>
      )}
      {canChange && (
        <Button variant="inline-link" ariaLabel={`${texts.deleteVersion} ${visibleLine(id)}`} onClick={() => onDelete(id)}>
          {partTexts.remove.confirm}
        </Button>
      )}
    </SpaceBetween>
  );
}
