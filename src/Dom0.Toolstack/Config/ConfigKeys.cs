// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;

namespace Dom0.Toolstack.Config;

/// <summary>What this release does with a key.</summary>
public enum ConfigKeyUse
{
    /// <summary>Acts on it.</summary>
    Honoured,

    /// <summary>Reads it and says that it has no effect yet.</summary>
    Pending,

    /// <summary>
    /// Belongs to fully virtualized guests or to machinery that does not exist any more; said once, then ignored.
    /// </summary>
    Obsolete,
}

/// <summary>A key of the configuration language. <c>Needs</c> completes "has no effect: it needs …".</summary>
public sealed record ConfigKey(string Name, ConfigKeyUse Use, string Needs = "");

/// <summary>Every key that any release of <c>xm</c>, or <c>xl</c> 4.17 for paravirtualized guests, knows.</summary>
public static class ConfigKeys
{
    private const string Backends =
        "back ends other than those for disks and networks, which this release does not have yet";
    private const string Hvm = "a fully virtualized guest, and this hypervisor runs paravirtualized ones";
    private const string Gone = "a subsystem that modern Xen no longer has";
    private const string PassThrough = "device pass-through, which this release does not have yet";

    private static readonly Dictionary<string, ConfigKey> s_keys = Build();

    /// <summary>The key called <paramref name="name"/>, or null.</summary>
    public static ConfigKey? Find(string name) => s_keys.GetValueOrDefault(name);

    /// <summary>The known key whose spelling is closest to an unknown one, if any is close.</summary>
    public static string? Nearest(string name)
    {
        string? nearest = null;
        int best = Math.Max(2, name.Length / 3) + 1;
        foreach (string candidate in s_keys.Keys)
        {
            int distance = Distance(name, candidate);
            if (distance < best)
            {
                best = distance;
                nearest = candidate;
            }
        }

        return nearest;
    }

    private static Dictionary<string, ConfigKey> Build()
    {
        Dictionary<string, ConfigKey> keys = new(StringComparer.Ordinal);
        void Add(ConfigKeyUse use, string needs, string names)
        {
            foreach (string name in names.Split(' '))
            {
                keys.Add(name, new ConfigKey(name, use, needs));
            }
        }

        Add(ConfigKeyUse.Honoured, "",
            "name uuid builder type kernel ramdisk memory maxmem vcpus maxvcpus vcpu_avail cpu cpus cpu_weight "
                + "cpu_cap cap "
            + "pool tsc_mode extra cmdline root ip ipaddr netmask gateway hostname interface dhcp nfs_server nfs_root "
            + "description on_poweroff on_reboot on_crash on_xend_start bootloader bootargs bootloader_args bootentry "
            + "restart nomigrate disk vif nics");
        Add(ConfigKeyUse.Pending, Backends, "vfb vtpm vscsi vusb vkb blkif netif driver_domain");
        Add(ConfigKeyUse.Pending, "xend to suspend or end guests when it stops; they run on without it, and 'xend "
            + "autostop' ends them when the host stops", "on_xend_stop");
        Add(ConfigKeyUse.Pending, "watchdogs and soft resets of guests, which this release does not have yet",
            "on_watchdog on_soft_reset");
        Add(ConfigKeyUse.Pending, "wall clocks and CPU policies of a guest's own, which this release does not have yet",
            "localtime rtc_timeoffset cpuid");
        Add(ConfigKeyUse.Pending, "access control and lists of required features, which this release does not have yet",
            "features seclabel");
        Add(ConfigKeyUse.Pending, "soft affinity, which xm has no notion of; use cpus", "cpus_soft");
        Add(ConfigKeyUse.Pending, PassThrough,
            "pci pci_msitranslate pci_power_mgmt pci_permissive pci_seize ioports irq irqs iomem usbctrl usbdev dtdev");
        Add(ConfigKeyUse.Obsolete, Gone,
            "vif2 tpmif usbport access_control ssidref machine_address_size memory_sharing superpages "
            + "suppress_spurious_page_faults target cpuid_check console tmem shadow_memory");
        Add(ConfigKeyUse.Obsolete, Hvm,
            "acpi apic boot cdrom device_model display fda fdb firmware gfx_passthru guest_os_type hap hpet isa "
                + "keymap lapic "
            + "loader monitor monitor_path ne2000 nographic nx oos opengl pae parallel s3_integrity sdl serial soundhw "
            + "stdvga timer_mode usb usbdevice vhpt videoram viridian vnc vncconsole vncdisplay vnclisten vncpasswd "
            + "vncunused vncviewer vpt_align xauthority xen_platform_pci vga altp2m nestedhvm bios "
            + "device_model_version device_model_override spice");
        return keys;
    }

    private static int Distance(string a, string b)
    {
        int[] row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitute, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
