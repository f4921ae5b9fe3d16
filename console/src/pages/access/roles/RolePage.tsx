/** One role. */

import { useState } from 'react';

import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { href, navigate } from '../../../router/location.ts';
import type { PageProps } from '../../../router/route.ts';
import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { visible, visibleLine } from '../../../ui/visible.ts';
import { decodedDocument } from '../iam.ts';
import { ConfirmDelete } from '../../../ui/forms/ConfirmDelete.tsx';
import { CopyText } from '../../../ui/code/CopyText.tsx';
import { Details } from '../../../ui/Details.tsx';
import { HolderActions } from '../parts/HolderActions.tsx';
import { RevokeSessions } from '../parts/RevokeSessions.tsx';
import { Tags } from '../parts/Tags.tsx';
import { Time } from '../parts/Time.tsx';
import { accessPaths, trustPolicyPath } from '../paths.ts';
import { Permissions } from '../permissions/Permissions.tsx';
import { CodeView } from '../../../ui/code/CodeView.tsx';
import { formatted } from '../policy/examples.ts';
import { deleteRole } from '../removal.ts';
import { EditRole } from './EditRole.tsx';

const texts = accessTexts.roles;

export default function RolePage({ parameters }: PageProps) {
  const name = parameters['name'] ?? '';
  const role = useResource(async (signal) => (await call(iam.GetRole, { RoleName: name }, signal)).Role, [name]);
  const [open, setOpen] = useState<'delete' | 'revoke' | 'edit'>();
  const close = () => setOpen(undefined);
  return (
    <Details
      name={name}
      resource={role}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Button onClick={() => setOpen('edit')}>{texts.edit}</Button>
          <HolderActions arn={role.value?.Arn} onRevoke={() => setOpen('revoke')} onDelete={() => setOpen('delete')} />
        </SpaceBetween>
      }
      facts={({ Arn, RoleId, Path, Description = '', MaxSessionDuration = 3600, CreateDate, RoleLastUsed }) => [
        { label: accessTexts.arn, value: <CopyText text={Arn} /> },
        { label: accessTexts.id, value: <CopyText text={RoleId} /> },
        { label: accessTexts.path, value: visibleLine(Path) },
        { label: accessTexts.description, value: visible(Description) || accessTexts.unknown },
        { label: accessTexts.sessionDuration, value: accessTexts.sessionDurationValue(MaxSessionDuration) },
        { label: accessTexts.created, value: <Time seconds={CreateDate} absent={accessTexts.unknown} /> },
        { label: accessTexts.lastUsed, value: <Time seconds={RoleLastUsed?.LastUsedDate} absent={accessTexts.never} /> },
      ]}
      parts={(value) => [
        {
          id: 'permissions',
          label: accessTexts.permissions.title,
          content: (
            <Permissions
              holder={{ kind: 'role', name }}
              boundary={{
                of: { kind: 'role', name },
                arn: value.PermissionsBoundary?.PermissionsBoundaryArn,
                onChange: role.reload,
              }}
            />
          ),
        },
        { id: 'trust', label: texts.trust, content: <Trust role={value} /> },
        {
          id: 'tags',
          label: accessTexts.tags.title,
          content: (
            <Tags
              tags={value.Tags ?? []}
              onSaved={role.reload}
              onSet={(set) => call(iam.TagRole, { RoleName: name, Tags: set })}
              onRemove={(keys) => call(iam.UntagRole, { RoleName: name, TagKeys: keys })}
            />
          ),
        },
      ]}
    >
      {open === 'edit' && role.value && <EditRole role={role.value} onDone={role.reload} onClose={close} />}
      {open === 'delete' && (
        <ConfirmDelete
          kind={accessTexts.kinds.role}
          name={name}
          consequences={accessTexts.remove.role}
          onDelete={() => deleteRole(name)}
          onDone={() => navigate(accessPaths.roles)}
          onClose={close}
        />
      )}
      {open === 'revoke' && role.value && (
        <RevokeSessions arn={role.value.Arn} name={name} body={accessTexts.revoke.role(visibleLine(name))} onClose={close} />
      )}
    </Details>
  );
}

function Trust({ role }: { readonly role: iam.Role }) {
  const document = decodedDocument(role.AssumeRolePolicyDocument);
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={texts.trustDescription}
          actions={<Button href={href(trustPolicyPath(role.RoleName))}>{texts.trustEdit}</Button>}
        >
          {texts.trust}
        </Header>
      }
    >
      <CodeView text={formatted(document) ?? document} label={texts.trust} />
    </Container>
  );
}
