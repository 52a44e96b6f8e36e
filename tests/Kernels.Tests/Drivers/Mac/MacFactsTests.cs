using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Tests.Drivers.Mac;

public sealed class MacFactsTests
{
    [Fact]
    public void The_text_of_a_public_report_gives_the_gpu()
    {
        var gpu = Assert.Single(MacPci.Gpus(ProfilerReport.ParseText(Transcript.Of("Pci/rtx-3060-sonnet").Text)));
        Assert.Equal((PciGpu.Nvidia, 0x2504), (gpu.VendorId, gpu.DeviceId));
        Assert.Equal((4, 16.0), (gpu.LinkWidth, gpu.LinkGigatransfers));
        Assert.Equal("Thunderbolt@3,0,0", gpu.Address);
        Assert.True(gpu.IsExternal);
        Assert.Null(gpu.Driver);
        Assert.Null(gpu.IsLinkUp);
        Assert.Equal(GpuSupport.Supported, TinygradSupport.Of(gpu));
        Assert.Equal("Nvidia Ampere", gpu.Name);
    }

    [Fact]
    public void A_3d_controller_is_a_gpu_that_tinygpu_does_not_attach_to()
    {
        var gpu = Assert.Single(MacPci.Gpus(ProfilerReport.ParseText(Transcript.Of("Pci/h100-not-attached").Text)));
        Assert.Equal(0x030200, gpu.ClassCode);
        Assert.Equal(GpuSupport.OtherClass, TinygradSupport.Of(gpu));
    }

    [Fact]
    public void A_vendor_named_in_words_has_its_id_in_parentheses()
    {
        var gpu = Assert.Single(MacPci.Gpus(ProfilerReport.ParseText(Transcript.Of("Pci/rtx-5090-displays").Text)));
        Assert.Equal("10de:2b85", gpu.Id);
        Assert.True(gpu.IsExternal);
    }

    [Fact]
    public void Of_a_cards_functions_and_switches_only_the_display_is_a_gpu()
    {
        var nvidia = ProfilerReport.ParseJson(Transcript.Of("Pci/report-rtx-3060").Text)!;
        Assert.Equal("10de:2504", Assert.Single(MacPci.Gpus(nvidia.Pci)).Id);
        Assert.Empty(MacPci.Gpus(nvidia.Displays));
        var amd = Assert.Single(
            MacPci.Gpus(ProfilerReport.ParseJson(Transcript.Of("Pci/report-rx-7900-xtx").Text)!.Pci)
        );
        Assert.Equal("1002:744c", amd.Id);
        Assert.True(amd.IsLinkUp);
        Assert.Equal("yes", amd.Driver);
        Assert.Equal(16, amd.LinkWidth);
    }

    [Fact]
    public void A_drive_on_thunderbolt_is_listed_with_speed_and_firmware()
    {
        var report = ProfilerReport.ParseJson(Transcript.Of("Thunderbolt/studio-with-drive").Text)!;
        Assert.Equal(
            new ThunderboltDevice(
                "Other World Computing",
                "Envoy Ultra",
                "56.56",
                ThunderboltGeneration.Usb4Version2,
                80
            ),
            Assert.Single(ThunderboltReport.Devices(report.Thunderbolt))
        );
    }

    [Fact]
    public void Another_mac_on_the_cable_is_no_enclosure()
    {
        var report = ProfilerReport.ParseJson(Transcript.Of("Thunderbolt/macbook-with-other-mac").Text)!;
        Assert.Equal(2, report.Thunderbolt.Count);
        Assert.Empty(ThunderboltReport.Devices(report.Thunderbolt));
    }

    [Fact]
    public void The_registry_is_read_with_and_without_its_tree()
    {
        Assert.Equal(
            new RegistryDevice(0x10de, 0x2321, 0x030200, null, null),
            Assert.Single(IoRegistry.Devices(Transcript.Of("Registry/h100-class").Text))
        );
        Assert.Equal(
            [
                new RegistryDevice(0x8086, 0x5786, 0x060400, true, null),
                new RegistryDevice(0x10de, 0x2504, 0x030000, false, 1),
            ],
            IoRegistry.Devices(Transcript.Of("Registry/rtx-3060-not-resourced").Text)
        );
    }

    [Fact]
    public void Facts_come_together_from_all_texts()
    {
        var facts = MacFacts.Of(MacTextsOf.GoodMac);
        Assert.Equal(new Version(26, 4), facts.SystemVersion);
        Assert.Equal("1.0.0/3", facts.Extension?.Version);
        Assert.Equal("1002:744c", facts.Gpu?.Id);
        Assert.Equal("Core X V2", facts.Enclosure?.Name);
        Assert.True(facts.IsAttached);
        Assert.Equal(TinyGpuStatus.Ready, facts.Status);
    }

    [Fact]
    public void Where_json_shows_no_gpu_the_text_does()
    {
        var facts = MacFacts.Of(MacTextsOf.PlainMac with { ReportText = MacTextsOf.Said("Pci/rtx-3060-sonnet") });
        Assert.Equal("10de:2504", facts.Gpu?.Id);
    }

    [Fact]
    public void The_number_of_the_registry_corrects_the_name_of_the_class()
    {
        var facts = MacFacts.Of(
            MacTextsOf.PlainMac with
            {
                ReportText = MacTextsOf.Said("Pci/rtx-3060-sonnet"),
                PciRegistry = CommandText.Of(
                    "\"vendor-id\" = <de100000>\n\"device-id\" = <04250000>\n\"class-code\" = <00800300>\n"
                ),
            }
        );
        Assert.Equal(0x038000, facts.Gpu?.ClassCode);
    }

    [Theory]
    [InlineData("13.6.1\n", "13.6.1")]
    [InlineData("26", "26.0")]
    [InlineData("not a version", null)]
    [InlineData("-3", null)]
    public void The_version_of_macos_is_read(string text, string? version) =>
        Assert.Equal(
            version,
            MacFacts.Of(MacTextsOf.PlainMac with { SystemVersion = CommandText.Of(text) }).SystemVersion?.ToString()
        );

    [Fact]
    public void Holders_of_the_lock_are_process_ids() =>
        Assert.Equal(
            [411, 512],
            MacFacts.Of(MacTextsOf.PlainMac with { LockHolders = CommandText.Of("411\n512\nx\n-1\n") }).LockHolders
        );

    [Theory]
    [InlineData(0x1002, 0x744c, GpuSupport.Supported)]
    [InlineData(0x1002, 0x7550, GpuSupport.Supported)]
    [InlineData(0x1002, 0x747e, GpuSupport.OtherModel)]
    [InlineData(0x1002, 0x7341, GpuSupport.OtherModel)]
    [InlineData(0x1002, 0x73bf, GpuSupport.OtherModel)]
    [InlineData(0x10de, 0x2684, GpuSupport.Supported)]
    [InlineData(0x10de, 0x2c18, GpuSupport.Supported)]
    [InlineData(0x10de, 0x1e07, GpuSupport.OtherModel)]
    [InlineData(0x8086, 0x56a0, GpuSupport.OtherVendor)]
    public void The_list_of_ids_is_tinygrads(int vendorId, int deviceId, GpuSupport support) =>
        Assert.Equal(support, TinygradSupport.Of(new PciGpu("PCIe", vendorId, deviceId)));
}
