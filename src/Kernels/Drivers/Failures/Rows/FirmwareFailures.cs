using System.Text.RegularExpressions;

namespace EgpuFleet.Kernels.Drivers.Failures.Rows;

/// <summary>The GPU's own firmware: fetching it, starting it.</summary>
internal static partial class FirmwareFailures
{
    private const string PowerCycle =
        "Switch the enclosure off, wait thirty seconds, switch it on, then restart the agent.";

    public static FailureSignature[] Rows { get; } =
    [
        new(
            "page_table_reads_ones",
            FailureClass.NeedsColdBoot,
            ["Must be table pt=", "PTE not mapped"],
            null,
            "AssertionError: Must be table pt=0x0, pt.lv=0 pte_idx=0 pt.entry(pte_idx)=0xffffffffffffffff",
            "The GPU's memory reads all ones while its firmware starts. The first start after power-on works, later ones do not.",
            FailureAction.AwaitPowerCycle,
            PowerCycle,
            ["tinygrad#15638", "tinygrad#15813"]
        ),
        new(
            "gsp_rpc_timeout",
            FailureClass.FirmwareStall,
            [],
            RpcTimeout(),
            "RuntimeError: Timeout waiting for RPC response for command 103",
            "The Nvidia card's firmware (GSP) stalled while it started.",
            FailureAction.ResetOnce,
            PowerCycle,
            ["tinygrad#15652", "tinygrad#15638"]
        ),
        new(
            "gsp_init_timeout",
            FailureClass.GpuUnsupported,
            ["RPC call 4097 failed with result 101"],
            null,
            "RuntimeError: RPC call 4097 failed with result 101",
            "The firmware of this card (RTX 5060 Ti, GB206) gives up while it starts behind this enclosure.",
            FailureAction.MarkUnsupported,
            "Use another card or another enclosure; no setting is known that helps.",
            ["tinygrad#14334", "tinygrad#14338"]
        ),
        new(
            "gsp_booter",
            FailureClass.FirmwareStall,
            ["Booter failed to execute, mailbox is"],
            null,
            "Booter failed to execute, mailbox is 0000000b",
            "The Nvidia card's boot code refused to start its firmware.",
            FailureAction.AwaitPowerCycle,
            PowerCycle,
            ["tinygrad#16457"]
        ),
        new(
            "fsp_silent",
            FailureClass.FirmwareStall,
            ["FSP didn't respond to message"],
            null,
            "FSP didn't respond to message",
            "The security processor of a Blackwell card does not answer.",
            FailureAction.AwaitPowerCycle,
            PowerCycle,
            ["tinygrad#16454"]
        ),
        new(
            "falcon_dma",
            FailureClass.FirmwareStall,
            ["DMA does not progress", "RPC queue not initialized"],
            null,
            "TimeoutError: DMA does not progress. Timed out after 10000 ms, condition not met",
            "The Nvidia card's helper processor could not read or write the Mac's memory while its firmware loaded.",
            FailureAction.AwaitPowerCycle,
            PowerCycle,
            ["tinygrad#16289", "tinygrad#17763"]
        ),
        new(
            "boot_incomplete",
            FailureClass.FirmwareStall,
            ["> wait_for_reset", "in wait_for_reset"],
            null,
            "TimeoutError: . Timed out after 10000 ms, condition not met: False != True (in _early_ip_init > wait_for_reset > wait_cond: raise TimeoutError(f\"{msg}. Timed out\"))",
            "The Nvidia card's own boot code did not finish within ten seconds; a card without enough power does that.",
            FailureAction.AwaitPowerCycle,
            $"{PowerCycle} If it stays so, check that every power cable of the card is plugged in.",
            ["source"]
        ),
        new(
            "firmware_download",
            FailureClass.FirmwareMissing,
            ["URLError: <urlopen error"],
            null,
            "urllib.error.URLError: <urlopen error [Errno 8] nodename nor servname provided, or not known>",
            "A file that tinygrad needs, on a first open the GPU's firmware, is not in its cache and cannot be downloaded.",
            FailureAction.AwaitRepair,
            "Connect this machine to the internet once, or copy tinygrad's cache (downloads/fw) from another one.",
            ["source"]
        ),
    ];

    [GeneratedRegex(
        @"Timeout waiting for RPC response for command (?:103|4097)\b",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex RpcTimeout();
}
