using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Tests.TinyGpu;

/// <summary>A Mac with an external GPU in a certain state, and what of it tinygrad says.</summary>
/// <param name="Device">tinygrad's DEV; with the interface named, so that no real GPU of the test's machine is touched.</param>
/// <param name="PciId">Vendor and device, <c>0x10022e8c</c> style: upper half the vendor.</param>
/// <param name="Server">What the stand-in for TinyGPU's server serves (see <c>server.py</c>); null: none listens.</param>
/// <param name="Row">The row of the failure table that must explain it.</param>
/// <param name="Says">A part of tinygrad's own text.</param>
/// <param name="Firmware">Whether tinygrad finds Nvidia's firmware: files in its place, see <c>firmware.py</c>.</param>
internal sealed record Scenario(
    string Device,
    uint PciId,
    JsonObject? Server,
    string Row,
    string Says,
    bool Firmware = false
)
{
    private const uint Rx7900Xtx = 0x1002744c;
    private const uint Rtx5090 = 0x10de2b85;
    private const uint Rtx3090 = 0x10de2204;
    private const uint Rtx2080Ti = 0x10de1e07;
    private const uint Rx6900Xt = 0x100273bf;

    private const int Megabyte = 1 << 20;

    /// <summary>The queue of a card's answers, as Nvidia's firmware lays it out in the third buffer: 63 pages after one of header.</summary>
    private static readonly (string, uint)[] AnswerQueue =
    [
        ("0x41008", 0x1000),
        ("0x4100c", 63),
        ("0x41018", 32),
        ("0x4101c", 0x1000),
    ];

    /// <summary>By name, so that a failed test says which.</summary>
    public static IReadOnlyDictionary<string, Scenario> All { get; } =
        new Dictionary<string, Scenario>(StringComparer.Ordinal)
        {
            ["nvidia_link_dropped"] = Nvidia(
                Rtx5090,
                Bars(Window(0, 16, 255), Window(1, 256, 255)),
                "architecture_reads_ones",
                "KeyError: 63"
            ),
            ["amd_link_dropped"] = Amd(
                Bars(Window(0, 256, 255), Window(2, 2, 255), Window(5, 1, 255)),
                "amd_discovery_signature",
                "discovery signatures mismatch"
            ),
            ["amd_windows_unassigned"] = Amd(
                Bars(Window(0, 0), Window(2, 0), Window(5, 0)),
                "bars_unassigned",
                "regBIF_BX_PF0_RSMU_INDEX"
            ),
            ["nvidia_windows_unassigned"] = Nvidia(
                Rtx5090,
                Bars(Window(0, 0), Window(1, 0)),
                "bar_not_mapped",
                "RPC failed: unknown error"
            ),
            ["window_refused"] = Amd([], "bar_not_mapped", "RPC failed: unknown error"),
            ["window_shorter_than_registers"] = Nvidia(
                Rtx5090,
                Bars(Window(0, 1)),
                "bar_not_mapped",
                "RPC failed: unknown error"
            ),
            ["driver_detached"] = Amd(new() { ["detached"] = true }, "driver_not_attached", "bar_info > _rpc"),
            ["server_away"] = new(
                "PCI+AMD",
                Rx7900Xtx,
                null,
                "server_unreachable",
                "Failed to connect to TinyGPU server"
            ),
            ["model_not_driven"] = new(
                "PCI+AMD",
                Rx6900Xt,
                [],
                "no_interface",
                "AMD:0 does not exist (0 devices available)"
            ),
            ["turing_not_driven"] = Nvidia(Rtx2080Ti, [], "no_interface", "NV:0 does not exist (0 devices available)"),
            ["connection_ends_while_opening"] = Amd(
                WithFault(Bars(Window(0, 256, 255), Window(2, 2), Window(5, 1, 255)), "mmio_read", "close", skip: 100),
                "connection_closed",
                "Connection closed"
            ),
            ["cable_pulled_while_opening"] = Amd(
                WithFault(Bars(Window(0, 256, 255), Window(2, 2), Window(5, 1, 255)), "mmio_write", "exit", skip: 100),
                "connection_closed",
                // A broken pipe, a reset or an end: whichever tinygrad meets first.
                "Error: "
            ),
            ["system_memory_refused"] = Nvidia(
                Rtx5090,
                WithFault(Blackwell(), "map_sysmem_fd", "refuse"),
                "system_memory_refused",
                "IndexError: list index out of range"
            ),
            ["no_firmware_and_no_internet"] = Nvidia(
                Rtx5090,
                Blackwell(),
                "firmware_download",
                "nodename nor servname"
            ),
            ["card_without_enough_power"] = Nvidia(
                Rtx3090,
                Bars(Window(0, 16, 0, ("0xa00", 0x17u << 24)), Window(1, 256)),
                "boot_incomplete",
                "Timed out after 10000 ms"
            ),
            ["security_processor_is_silent"] = Booting(Blackwell(), "fsp_silent", "FSP didn't respond to message"),
            ["firmware_lays_out_no_queue"] = Booting(Boot(), "falcon_dma", "RPC queue not initialized"),
            ["firmware_never_starts"] = Booting(
                Boot(AnswerQueue),
                "gsp_rpc_timeout",
                "Timeout waiting for RPC response for command 4097"
            ),
            ["firmware_starts_and_stalls"] = Booting(
                Boot([.. AnswerQueue, .. Started(0)]),
                "gsp_rpc_timeout",
                "Timeout waiting for RPC response for command 103"
            ),
            ["firmware_gives_up"] = Booting(
                Boot([.. AnswerQueue, .. Started(101)]),
                "gsp_init_timeout",
                "RPC call 4097 failed with result 101"
            ),
        };

    /// <summary>One answer in that queue: to the start of the firmware, with this result.</summary>
    private static (string, uint)[] Started(uint result) =>
        [("0x41010", 1), ("0x42038", 32), ("0x4203c", 4097), ("0x42040", result)];

    /// <summary>The GPU stops answering in the middle of its opening, and stays silent for ever.</summary>
    public static Scenario Hanging { get; } =
        Nvidia(Rtx5090, WithFault(Blackwell(), "mmio_read", "hang", skip: 3), row: "", says: "");

    /// <summary>A Blackwell card as far as it goes without firmware: its boot code is done, its window is a small one.</summary>
    public static JsonObject Blackwell() =>
        Bars(
            Window(0, 16, 0, ("0xa00", 0x1bu << 24), ("0xad00bc", 0xff), ("0x1183a4", 1024)),
            Window(1, 256),
            Window(3, 32)
        );

    public static JsonObject Bars(params (int Number, JsonObject Window)[] windows) =>
        new()
        {
            ["bars"] = new JsonObject(windows.Select(w => KeyValuePair.Create($"{w.Number}", (JsonNode?)w.Window))),
        };

    public static (int, JsonObject) Window(
        int number,
        int megabytes,
        byte fill = 0,
        params (string, uint)[] registers
    ) =>
        (
            number,
            new()
            {
                ["bytes"] = megabytes * Megabyte,
                ["fill"] = fill,
                ["registers"] = Words(registers),
            }
        );

    public static JsonObject WithFault(JsonObject server, string command, string then, int skip = 0)
    {
        server["fault"] = new JsonObject
        {
            ["command"] = command,
            ["then"] = then,
            ["skip"] = skip,
        };
        return server;
    }

    private static Scenario Booting(JsonObject server, string row, string says) =>
        new("PCI+NV", Rtx5090, server, row, says, Firmware: true);

    /// <summary>A Blackwell card that has taken its firmware, and what that has written to the Mac's memory.</summary>
    private static JsonObject Boot(params (string, uint)[] words)
    {
        var server = Blackwell();
        server["bars"]!["0"]!["registers"]!["0x8f2c80"] = 1;
        server["system"] = new JsonArray(new JsonObject { ["buffer"] = 2, ["words"] = Words(words) });
        return server;
    }

    private static JsonObject Words((string, uint)[] words) =>
        new(words.Select(word => KeyValuePair.Create(word.Item1, (JsonNode?)word.Item2)));

    private static Scenario Amd(JsonObject server, string row, string says) =>
        new("PCI+AMD", Rx7900Xtx, server, row, says);

    private static Scenario Nvidia(uint id, JsonObject server, string row, string says) =>
        new("PCI+NV", id, server, row, says);
}
