using System.Text.RegularExpressions;

namespace EgpuFleet.Kernels.Drivers.Failures.Rows;

/// <summary>The way to the GPU: enclosure, link and address windows.</summary>
internal static partial class LinkFailures
{
    private const string AnotherWay =
        "Shut the Mac down, switch the enclosure off and on, connect it, start the Mac. If it comes back, use another port, another cable, then another enclosure.";

    public static FailureSignature[] Rows { get; } =
    [
        new(
            "link_retrain_lost",
            FailureClass.LinkDead,
            ["AER uncorrectable status 0xffffffff"],
            null,
            "AER uncorrectable status 0xffffffff ... Link timeout",
            "The enclosure lost the link when the GPU's firmware asked for another link speed; seen with Thunderbolt 5 enclosures on an Intel controller, while the same card works in another one.",
            FailureAction.AwaitPowerCycle,
            $"{AnotherWay} Enclosures with an ASM2464 controller, such as the ADT-UT3G, are reported to work.",
            ["tinygrad#18215", "tinygrad#16060", "tinygrad#15652"]
        ),
        new(
            "architecture_reads_ones",
            FailureClass.LinkDead,
            ["KeyError: 63"],
            null,
            "File \"nvdev.py\", line 113, in _early_ip_init\nKeyError: 63",
            "The GPU's architecture register reads 0x3f, all ones: the link dropped, or its windows are dead. It depends on the enclosure.",
            FailureAction.ResetOnce,
            AnotherWay,
            ["tinygrad#15652", "tinygrad#15843", "tinygrad#16454"]
        ),
        new(
            "bars_unassigned",
            FailureClass.BarUnassigned,
            // A window of no bytes: tinygrad looks for registers that it has not read the names of yet.
            ["KeyError: 'regBIF_BX_PF0_RSMU_INDEX'"],
            UnassignedBar(),
            "tinygpu: read cfg off:10 sz:0, val:0   # BAR0 = 0 (unassigned)",
            "macOS saw the GPU behind the enclosure and gave it no address windows, so every read returns 0xFFFFFFFF.",
            FailureAction.AwaitRepair,
            "Restart the Mac with the enclosure connected and switched on. If nothing changes, use another port or another enclosure.",
            ["tinygrad#15813", "tinygrad#16714"]
        ),
        new(
            "amd_discovery_signature",
            FailureClass.BarUnassigned,
            ["discovery signatures mismatch"],
            null,
            "AssertionError: discovery signatures mismatch",
            "The AMD card's table of parts reads as nonsense: most likely its window reads all ones.",
            FailureAction.ResetOnce,
            "Restart the Mac with the enclosure connected and switched on. If nothing changes, use another port or another enclosure.",
            ["tinygrad#15813", "source"]
        ),
        new(
            "bar_not_mapped",
            FailureClass.BarUnassigned,
            ["RPC failed: unknown error"],
            null,
            "RuntimeError: RPC failed: unknown error",
            "TinyGPU refused to map one of the GPU's windows, or a read beyond the end of one, and gives no reason.",
            FailureAction.ResetOnce,
            "Restart the Mac with the enclosure connected and switched on.",
            ["tinygrad#17884", "source"]
        ),
        new(
            "system_memory_refused",
            FailureClass.BarUnassigned,
            ["anc[0][2][:4]"],
            null,
            "IndexError: list index out of range (in _alloc_boot_mem > alloc_sysmem > _rpc: fd = struct.unpack('<i', anc[0][2][:4])[0])",
            "TinyGPU could not lend memory of the Mac to the GPU: its 128 buffers are in use, or the Mac's memory guard (DART) gave no addresses.",
            FailureAction.ResetOnce,
            "Restart the Mac with the enclosure connected and switched on.",
            ["source"]
        ),
    ];

    [GeneratedRegex(
        @"read cfg off:10 sz:\d+, val:0\b|\bMMIO\b[^\n]{0,80}0xFFFFFFFF\b",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex UnassignedBar();
}
