using EgpuFleet.Api;
using EgpuFleet.Dashboard.Tests.Stub;
using EgpuFleet.TestKit.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EgpuFleet.Dashboard.Tests;

/// <summary>Eject, attach and clear on a device: asked first, told to the API, and shown until it is done.</summary>
public sealed class DeviceOrderTests(SharedChromium chromium)
{
    private const string Egpu = "studio/egpu0";

    [Theory]
    [InlineData("desktop")]
    [InlineData("phone")]
    public async Task An_ejection_is_asked_first_and_ends_where_it_is_safe_to_unplug(string look)
    {
        var fleet = Fleet("ready");
        await using var stage = await Stage.OpenAsync(
            chromium,
            fleet,
            "/",
            look == "phone" ? Look.Phone : Look.Desktop
        );
        await Button(stage, $"Eject {Egpu}").ClickAsync();
        await Button(stage, "Leave it as it is").ClickAsync();
        Assert.Equal("ready", Device(fleet).State);

        await Button(stage, $"Eject {Egpu}").ClickAsync();
        await stage.Watched.ScreenshotAsync($"device-eject-{look}");
        await Button(stage, "Eject the device").ClickAsync();

        await Stage.SeesAsync(stage.Page.GetByText("Draining", new() { Exact = true }));
        await Expect(Button(stage, $"Eject {Egpu}")).ToHaveCountAsync(0);
        Become(fleet, "ejected", "Its owner ejected it: it is safe to unplug.");
        await stage.SeesAsync("it is safe to unplug");
        await stage.Watched.ScreenshotAsync($"device-ejected-{look}");
        await Button(stage, $"Attach {Egpu}").ClickAsync();
        await Stage.SeesAsync(stage.Page.GetByText("Starting", new() { Exact = true }));
        stage.AssertQuiet();
    }

    [Fact]
    public async Task A_quarantine_is_cleared_by_who_says_that_it_is_mended()
    {
        var fleet = Fleet("quarantined", "The device hung twice in a row.");
        await using var stage = await Stage.OpenAsync(chromium, fleet, "/");

        await Button(stage, $"Clear {Egpu}").ClickAsync();
        await stage.SeesAsync("It is tested before it serves again.");
        await Button(stage, "Clear the device").ClickAsync();

        await Stage.SeesAsync(stage.Page.GetByText("Starting", new() { Exact = true }));
        Assert.Equal("starting", Device(fleet).State);
        stage.AssertQuiet();
    }

    [Fact]
    public async Task What_cannot_be_unplugged_has_no_button_for_it()
    {
        var fleet = Fleet("ready");
        fleet.Devices = [.. fleet.Devices, Samples.Device("studio", "cpu0")];
        await using var stage = await Stage.OpenAsync(chromium, fleet, "/");

        await Stage.SeesAsync(Button(stage, $"Eject {Egpu}"));

        await Expect(Button(stage, "Eject studio/cpu0")).ToHaveCountAsync(0);
        stage.AssertQuiet();
    }

    [Fact]
    public async Task A_refused_order_says_why()
    {
        var fleet = Fleet("ready");
        await using var stage = await Stage.OpenAsync(chromium, fleet, "/");
        await Button(stage, $"Eject {Egpu}").ClickAsync();
        fleet.Broken = new ProblemInfo(null, "Conflict", 409, "The node is gone.", null, null);

        await Button(stage, "Eject the device").ClickAsync();

        await stage.SeesAsync("The node is gone.");
    }

    private static StubFleet Fleet(string state, string? reason = null) =>
        new()
        {
            Nodes = [Samples.Node("studio")],
            Devices = [Samples.Device("studio", "egpu0", "external_gpu") with { State = state, Reason = reason }],
        };

    private static DeviceInfo Device(StubFleet fleet) => fleet.Devices.Single(device => device.Id == Egpu);

    private static void Become(StubFleet fleet, string state, string reason) =>
        fleet.Devices = [Device(fleet) with { State = state, Reason = reason }];

    private static ILocator Button(Stage stage, string name) =>
        stage.Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });
}
