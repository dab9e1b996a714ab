/** Where one works. Shown only to who belongs to more than one organisation. */
import { Menu } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Building2, ChevronsUpDown } from "lucide-react";
import { organizationsQuery } from "../api/queries";
import { roleName } from "../lib/role-name";
import { t } from "../strings";
import { MENU } from "./menu";
import { enter } from "./organizations";
import { toast } from "./toasts";

export function OrganizationMenu({ onEntered }: { onEntered: () => void }) {
  const organizations = useQuery(organizationsQuery);
  const go = useMutation({ mutationFn: enter, onSuccess: onEntered, onError: toast.error });
  const list = organizations.data ?? [];
  const here = list.find((organization) => organization.current);
  if (list.length < 2 || !here) return null;
  return (
    <Menu {...MENU}>
      <Menu.Target>
        <button type="button" className="iconbtn" aria-label={t.organizations.current(here.name)} title={here.name}>
          <Building2 aria-hidden />
          <span className="orgname">{here.name}</span>
          <ChevronsUpDown aria-hidden className="wideicon" />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t.organizations.label}</Menu.Label>
        <Menu.RadioGroup
          value={here.id}
          onChange={(id) => {
            if (id !== here.id) go.mutate(id);
          }}
        >
          {list.map((organization) => (
            <Menu.RadioItem key={organization.id} value={organization.id} closeMenuOnClick disabled={go.isPending}>
              {organization.name} <span className="muted">{roleName(organization.role)}</span>
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}
