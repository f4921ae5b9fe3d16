/** All groups. */

import { call } from '../../../api/call.ts';
import * as iam from '../../../api/generated/iam.ts';
import { groups } from '../iam.ts';
import { HolderList } from '../parts/HolderList.tsx';

export default function GroupsPage() {
  return (
    <HolderList
      kind="group"
      list={groups}
      nameOf={({ GroupName }) => GroupName}
      create={(GroupName, Path) => call(iam.CreateGroup, { GroupName, Path })}
    />
  );
}
