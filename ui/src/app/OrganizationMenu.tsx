/** Where one works. Shown only to who belongs to more than one organisation. */
import { Menu } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Building2, ChevronsUpDown } from "lucide-react";
import { organizationsQuery } from "../api/queries";
import { roleName } from "../lib/role-name";
import { t } from "../strings";
import { enter } from "./organizations";
import { toast } from "./toasts";

export function OrganizationMenu({ onEntered }: { onEntered: () => void }) {
  const organizations = useQuery(organizationsQuery);
  const go = useMutation({ mutationFn: enter, onSuccess: onEntered, onError: toast.error });
  const list = organizations.data ?? [];
  const here = list.find((organization) => organization.current);
  if (list.length < 2 || !here) return null;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <button type="button" className="iconbtn" aria-label={t.organizations.current(here.name)} title={here.name}>
          <Building2 aria-hidden />
          <span className="orgname">{here.name}</span>
          <ChevronsUpDown aria-hidden className="wideicon" />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t.organizations.label}</Menu.Label>
        {list.map((organization) => (
          <Menu.Item
            key={organization.id}
            role="menuitemradio"
            aria-checked={organization.current}
            disabled={go.isPending}
            rightSection={organization.current ? <span aria-hidden>✓</span> : null}
            onClick={() => {
              if (!organization.current) go.mutate(organization.id);
            }}
          >
            {organization.name} <span className="muted">{roleName(organization.role)}</span>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
