using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Drivers.Mac;
using EgpuFleet.Kernels.Tests.Drivers.Mac;

namespace EgpuFleet.Kernels.Tests.Drivers.Doctor;

public sealed class MacDoctorTests
{
    [Fact]
    public void A_mac_on_which_all_is_well_is_well()
    {
        var report = Examine(MacTextsOf.GoodMac);
        Assert.True(report.IsWell, report.FirstFailure?.ToString());
        Assert.All(
            report.Checks,
            check =>
                Assert.True(
                    check.State is CheckState.Ok || check.Id is "boot" or "self_test" or "vram" or "address_windows"
                )
        );
        Assert.True(Examine(MacTextsOf.NvidiaMac).IsWell);
    }

    [Fact]
    public void A_mac_without_anything_of_an_external_gpu_is_well()
    {
        var report = Examine(MacTextsOf.PlainMac);
        Assert.True(report.IsWell);
        Assert.Equal(CheckState.Skipped, Check(report, "extension").State);
        Assert.Contains("because", Check(report, "self_test").Seen, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_mac_or_a_drive_on_the_cable_asks_for_no_gpu() =>
        Assert.True(
            Examine(MacTextsOf.PlainMac with { ReportJson = MacTextsOf.Said("Thunderbolt/studio-with-drive") }).IsWell
        );

    public static TheoryData<string, string> Failures { get; } =
        new()
        {
            { "apple_silicon", "Intel" },
            { "macos_version", "macOS 13" },
            { "enclosure", "is off" },
            { "gpu_on_bus", "no GPU behind it" },
            { "pci_id", "does not drive this model" },
            { "link", "dropped" },
            { "extension", "to allow" },
            { "extension_version", "do not fit" },
            { "address_windows", "no address windows" },
            { "attached", "has not taken" },
            { "compiler", "Nothing here compiles" },
            { "kernel_panic", "DART" },
        };

    [Theory]
    [MemberData(nameof(Failures))]
    public void What_is_broken_is_the_first_that_fails_with_cause_and_fix(string id, string cause)
    {
        var report = Examine(Broken(id));
        Assert.False(report.IsWell);
        Assert.Equal(id, report.FirstFailure?.Id);
        Assert.Contains(cause, report.FirstFailure?.Cause, StringComparison.Ordinal);
        Assert.NotEmpty(report.FirstFailure?.Fix ?? "");
    }

    [Theory]
    [InlineData("Extensions/tinygpu-old-row-first", CheckState.Failed)]
    [InlineData("Extensions/tinygpu-running-row-last", CheckState.Ok)]
    [InlineData("Extensions/lulu-tabs", CheckState.Failed)]
    public void All_rows_of_the_extension_count(string transcript, CheckState state) =>
        Assert.Equal(
            state,
            Check(Examine(MacTextsOf.GoodMac with { Extensions = MacTextsOf.Said(transcript) }), "extension").State
        );

    [Fact]
    public void Which_compiler_is_used_is_said()
    {
        var llvm = MacTextsOf.GoodMac with
        {
            Files = MacTextsOf.GoodMac.Files with { Comgr = false, LlvmVersion = 21 },
        };
        Assert.Contains("LLVM 21 in place of", Check(Examine(llvm), "compiler").Seen, StringComparison.Ordinal);
        var old = llvm with { Files = llvm.Files with { LlvmVersion = 14 } };
        Assert.Equal(CheckState.Failed, Check(Examine(old), "compiler").State);
    }

    [Theory]
    [InlineData(false, true, true, CheckState.Unknown)]
    [InlineData(true, false, true, CheckState.Failed)]
    [InlineData(true, true, false, CheckState.Failed)]
    [InlineData(true, true, true, CheckState.Ok)]
    public void Nvidias_compiler_needs_docker_and_a_folder_it_sees(
        bool shim,
        bool docker,
        bool folder,
        CheckState state
    )
    {
        var texts = MacTextsOf.NvidiaMac with
        {
            Docker = docker ? CommandText.Of("28.3.2\n") : CommandText.Of("", 1),
            Files = MacTextsOf.NoFiles with { App = true, NvccShim = shim, IsTemporaryFolderShared = folder },
        };
        Assert.Equal(state, Check(Examine(texts), "compiler").State);
    }

    [Fact]
    public void Tools_that_do_not_answer_leave_things_unknown_and_not_failed()
    {
        var silent = new CommandText(CommandOutcome.TimedOut, "", 0);
        var report = Examine(
            MacTextsOf.GoodMac with
            {
                SystemVersion = silent,
                Extensions = silent,
                Status = silent,
                ReportJson = silent,
                ReportText = silent,
                PciRegistry = silent,
                TinyGpuRegistry = silent,
                Docker = silent,
            }
        );
        Assert.True(report.IsWell, report.FirstFailure?.ToString());
        Assert.Equal(CheckState.Unknown, Check(report, "extension").State);
        Assert.Equal(CheckState.Unknown, Check(report, "gpu_on_bus").State);
    }

    [Fact]
    public void The_driver_describes_the_gpu_and_why_it_cannot_be_used()
    {
        var good = Assert.Single(TinyGpuDriver.Describe(MacFacts.Of(MacTextsOf.GoodMac)));
        Assert.Equal((DeviceState.Usable, (string?)null), (good.State, good.Reason));
        Assert.Equal("Core X V2", good.Enclosure?.Name);
        Assert.Equal("AMD Radeon RX 7900 XTX, XT or GRE", good.Model);

        var bad = Assert.Single(TinyGpuDriver.Describe(MacFacts.Of(Broken("extension"))));
        Assert.Equal(DeviceState.Unusable, bad.State);
        Assert.Contains("to allow", bad.Reason, StringComparison.Ordinal);
        Assert.Empty(TinyGpuDriver.Describe(MacFacts.Of(MacTextsOf.PlainMac)));
    }

    private static MacTexts Broken(string id)
    {
        var good = MacTextsOf.GoodMac;
        return id switch
        {
            "apple_silicon" => good with { IsAppleSilicon = false },
            "macos_version" => good with { SystemVersion = CommandText.Of("12.7.6\n") },
            "enclosure" => good with { ReportJson = MacTextsOf.PlainMac.ReportJson },
            "gpu_on_bus" => good with { ReportJson = MacTextsOf.Said("Thunderbolt/studio-with-drive") },
            "pci_id" => good with { ReportJson = Changed("0x744c", "0x747e") },
            "link" => good with { ReportJson = Changed("Link up", "Link down") },
            "extension" => good with { Extensions = MacTextsOf.Said("Extensions/tinygpu-old-row-first") },
            "extension_version" => good with
            {
                Extensions = CommandText.Of("*\t*\tT\torg.tinygrad.tinygpu.driver2 (1.0.0/1)\tn\t[activated enabled]"),
            },
            "address_windows" => good with
            {
                PciRegistry = CommandText.Of(
                    "\"vendor-id\" = <02100000>\n\"device-id\" = <4c740000>\n\"IOPCIResourced\" = No\n"
                ),
            },
            "attached" => good with { TinyGpuRegistry = CommandText.Of("") },
            "compiler" => good with { Files = good.Files with { Comgr = false } },
            _ => good with { Panics = ["a panic of something else", Transcript.Of("Failures/dart-panic").Text] },
        };
    }

    private static CommandText Changed(string from, string to) =>
        CommandText.Of(Transcript.Of("Pci/report-rx-7900-xtx").Text.Replace(from, to, StringComparison.Ordinal));

    private static DoctorReport Examine(MacTexts texts) => MacDoctor.Examine(MacFacts.Of(texts), null);

    private static DoctorCheck Check(DoctorReport report, string id) => report.Checks.Single(check => check.Id == id);
}
