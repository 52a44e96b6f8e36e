using EgpuFleet.Kernels.Drivers.Failures;

namespace EgpuFleet.Kernels.Tests.Drivers.Failures;

public sealed class FailureTableTests
{
    /// <summary>Every signature of the design's table of failures that were seen, and of the facts after it, with its row.</summary>
    public static TheoryData<string, string> Signatures { get; } =
        new()
        {
            { "KeyError: 63", "architecture_reads_ones" },
            { "MMIO reads return 0xFFFFFFFF", "bars_unassigned" },
            { "discovery signatures mismatch", "amd_discovery_signature" },
            { "RPC failed: unknown error", "bar_not_mapped" },
            { "Timeout waiting for RPC response for command 103", "gsp_rpc_timeout" },
            { "Timeout waiting for RPC response for command 4097", "gsp_rpc_timeout" },
            { "RPC call 4097 failed with result 101", "gsp_init_timeout" },
            { "Booter failed to execute, mailbox is 0000000b", "gsp_booter" },
            { "FSP didn't respond to message", "fsp_silent" },
            { "AssertionError: Must be table pt=0x0, pt.lv=0", "page_table_reads_ones" },
            { "PTE not mapped", "page_table_reads_ones" },
            { "[SPTM] VIOLATION_T8110_DART_INVALID_ERR_MASK", "dart_panic" },
            { "AppleT8110DART err_mask 0x90180000", "dart_panic" },
            { "x86 CPU CATERR detected", "intel_mac_panic" },
            { "No interface for AMD:0 is available", "no_interface" },
            { "AMD:0 does not exist (0 devices available)", "no_interface" },
            { "assert self.tmr_size <= self.max_tmr_size", "amd_tmr_size" },
            { "Driver not available. Check: System Report > PCI for GPU, System Settings", "driver_not_attached" },
            { "failed to connect to tinygpu driver", "driver_not_attached" },
            { "Failed to acquire lock file am_usb4.lock.", "lock_held" },
            { "Wait timeout: 30000 ms! (the signal is not set to 2, but 1)", "device_hang" },
            { "Device hang detected", "device_hang" },
            { "Device is in error state", "device_hang" },
            { "Device fault detected", "device_fault" },
            { "MMU fault: 0x7D9A2A620000", "device_fault" },
            { "JITBEAM=2 is stuck at 73 %", "search_stuck" },
            { "turing is not supported", "turing" },
            { "AER uncorrectable status 0xffffffff ... Link timeout", "link_retrain_lost" },
            { "OSSystemExtensionErrorDomain error 4.", "extension_not_found" },
            { "OSSystemExtensionErrorDomain error 8.", "extension_signature" },
            { "OSSystemExtensionErrorDomain error 9.", "extension_validation" },
            { "OSSystemExtensionErrorDomain error 10.", "extension_policy" },
            { "struct.error: unpack requires a buffer of 4 bytes", "compiler_container_down" },
            { "Connection closed", "" },
            { "RuntimeError: Connection closed", "connection_closed" },
            { "BrokenPipeError: [Errno 32] Broken pipe", "connection_closed" },
            { "ConnectionResetError: [Errno 54] Connection reset by peer", "connection_closed" },
            { "RuntimeError: Connection closed (in bar_info > _rpc > _recvall: if", "driver_not_attached" },
            { "BrokenPipeError: [Errno 32] Broken pipe (in map_bar > bar_info > _rpc: s", "driver_not_attached" },
            { "URLError: <urlopen error [Errno 8] nodename nor servname", "firmware_download" },
            { "KeyError: 'regBIF_BX_PF0_RSMU_INDEX'", "bars_unassigned" },
            { "Failed to connect to TinyGPU server at /tmp/tinygpu.sock.", "server_unreachable" },
            { "Failed to allocate memory (OOM). Request size=1024", "out_of_memory" },
            { "failed to execute: failed to load library ocelot", "emulator_returns_zeros" },
            { "all is well", "" },
            { "", "" },
        };

    public static TheoryData<string, string> RealReports { get; } =
        new()
        {
            { "Failures/keyerror-63", "architecture_reads_ones" },
            { "Failures/rpc-timeout-103", "gsp_rpc_timeout" },
            { "Failures/bars-unassigned", "bars_unassigned" },
            { "Failures/mmio-reads-ones", "bars_unassigned" },
            { "Failures/no-interface-amd", "no_interface" },
            { "Failures/tmr-size", "amd_tmr_size" },
            { "Failures/dart-panic", "dart_panic" },
            { "Failures/page-table", "page_table_reads_ones" },
            { "Failures/gsp-init-5060-ti", "gsp_init_timeout" },
            { "Failures/booter-3060", "gsp_booter" },
            { "Failures/fsp-5090", "fsp_silent" },
            { "Failures/not-attached-h100", "driver_not_attached" },
            { "Failures/map-bar-5090-laptop", "bar_not_mapped" },
            { "Failures/nvcc-temporary-folder", "compiler_input_unseen" },
            { "Failures/lock-held", "lock_held" },
            { "Failures/link-retrain", "link_retrain_lost" },
            { "Failures/mmu-fault", "device_fault" },
            { "Failures/wait-timeout", "device_hang" },
            { "Failures/comgr-fallback", "amd_compiler_fallback" },
            { "Failures/turing", "turing" },
            { "Failures/beam-stuck", "search_stuck" },
            { "Failures/intel-caterr", "intel_mac_panic" },
            { "Failures/cable-pulled", "connection_closed" },
        };

    public static TheoryData<string> Ids { get; } = [.. FailureTable.Rows.Select(row => row.Id)];

    [Theory]
    [MemberData(nameof(Signatures))]
    public void Every_signature_that_was_seen_has_its_row(string text, string id) =>
        Assert.Equal(id, FailureTable.Classify(text) is [var match, ..] ? match.Signature.Id : "");

    [Theory]
    [MemberData(nameof(RealReports))]
    public void Recorded_failures_are_told_by_their_first_cause(string name, string id) =>
        Assert.Equal(id, FailureTable.Classify(Transcript.Of(name).Text)[0].Signature.Id);

    [Fact]
    public void Every_recorded_failure_is_tested() =>
        Assert.Equal(
            Transcript
                .All.Select(transcript => transcript.Name)
                .Where(name => name.StartsWith("Failures/", StringComparison.Ordinal)),
            RealReports.Select(row => row.Data.Item1).Order(StringComparer.Ordinal)
        );

    [Theory]
    [MemberData(nameof(Ids))]
    public void A_row_matches_its_own_text_and_no_other_row_does(string id)
    {
        var row = FailureTable.Rows.Single(row => row.Id == id);
        Assert.Equal([id], FailureTable.Classify(row.Quoted).Select(match => match.Signature.Id));
        Assert.NotEmpty(row.Cause);
        Assert.NotEmpty(row.Fix);
        Assert.NotEmpty(row.Sources);
    }

    [Fact]
    public void Ids_are_unique() => Assert.Equal(Ids.Count, FailureTable.Rows.Select(row => row.Id).Distinct().Count());

    [Fact]
    public void What_explains_the_others_comes_first()
    {
        const string text = """
              | ExceptionGroup: No interface for NV:0 is available (2 sub-exceptions)
                | BrokenPipeError: [Errno 32] Broken pipe
                | KeyError: 63
            """;
        Assert.Equal(
            ["architecture_reads_ones", "no_interface", "connection_closed"],
            FailureTable.Classify(text).Select(match => match.Signature.Id)
        );
    }

    [Fact]
    public void A_match_names_its_line()
    {
        var match = Assert.Single(FailureTable.Classify("one\n   | KeyError: 63\r\nthree"));
        Assert.Equal("KeyError: 63", match.Line);
    }

    [Fact]
    public void Of_a_long_text_beginning_and_end_are_read_and_little_is_shown()
    {
        var noise = new string('a', 10_000_000);
        var match = Assert.Single(FailureTable.Classify(noise + "KeyError: 63"));
        Assert.StartsWith("KeyError: 63", match.Line, StringComparison.Ordinal);
        Assert.Single(FailureTable.Classify("KeyError: 63" + noise));
        Assert.Empty(FailureTable.Classify(noise));
    }
}
