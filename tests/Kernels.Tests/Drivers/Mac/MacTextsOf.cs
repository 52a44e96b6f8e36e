using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Tests.Drivers.Mac;

/// <summary>Texts of a Mac put together from transcripts.</summary>
internal static class MacTextsOf
{
    public static MacFiles NoFiles { get; } = new(false, false, null, false, false, null, true);

    /// <summary>A Mac with Apple silicon and nothing of an external GPU.</summary>
    public static MacTexts PlainMac { get; } =
        new(
            true,
            CommandText.Of("26.4\n"),
            CommandText.Of("0 extension(s)\n"),
            CommandText.NotThere,
            CommandText.Of("""{"SPPCIDataType":[],"SPThunderboltDataType":[],"SPDisplaysDataType":[]}"""),
            CommandText.Of(""),
            CommandText.Of(""),
            CommandText.Of(""),
            CommandText.NotThere,
            CommandText.Of("", 1),
            CommandText.Of("", 1),
            NoFiles,
            []
        );

    /// <summary>A Mac with an AMD card on which everything is as it should be.</summary>
    public static MacTexts GoodMac { get; } =
        PlainMac with
        {
            Extensions = Said("Extensions/tinygpu-activated"),
            Status = CommandText.Of("Extension is ready! Run tinygrad to use your eGPU.\n"),
            ReportJson = Said("Pci/report-rx-7900-xtx"),
            TinyGpuRegistry = CommandText.Of("+-o tinygpu  <class IOUserService, id 0x1000005a1>\n"),
            Files = NoFiles with { App = true, Comgr = true, FirmwareFiles = 9 },
        };

    /// <summary>A Mac with an Nvidia card on which everything is as it should be.</summary>
    public static MacTexts NvidiaMac { get; } =
        GoodMac with
        {
            ReportJson = Said("Pci/report-rtx-3060"),
            Files = NoFiles with { App = true, TinyMesa = true, FirmwareFiles = 9 },
        };

    public static CommandText Said(string transcript) => CommandText.Of(Transcript.Of(transcript).Text);
}
