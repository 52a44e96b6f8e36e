using EgpuFleet.Api;
using EgpuFleet.Dashboard.Tests.Stub;
using EgpuFleet.TestKit.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EgpuFleet.Dashboard.Tests;

public sealed class FleetPageTests(SharedChromium chromium)
{
    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    [InlineData("phone")]
    public async Task It_shows_nodes_devices_jobs_and_models(string name)
    {
        var look = name switch
        {
            "dark" => Look.Night,
            "phone" => Look.Phone,
            _ => Look.Desktop,
        };
        await using var stage = await Stage.OpenAsync(chromium, Scenes.Working(), "/", look);
        var studio = stage.Page.GetByRole(AriaRole.Article, new() { Name = "studio" });
        await Expect(studio.GetByText("Radeon RX 7900 XTX")).ToBeVisibleAsync();
        await Expect(studio.GetByText("External GPU · tinygrad")).ToBeVisibleAsync();
        await Expect(studio.GetByText("22 GB of 24 GB")).ToBeVisibleAsync();
        await Expect(studio.GetByRole(AriaRole.Meter, new() { Name = "Memory of studio/egpu-0" }))
            .ToHaveAttributeAsync("aria-valuenow", "91.67");
        await Expect(studio.GetByRole(AriaRole.Link, new() { Name = "Shard 5" }))
            .ToHaveAttributeAsync("href", $"/jobs/{Scenes.RunningJob}");
        await stage.SeesAsync("Its shards run elsewhere until it is back.");
        await stage.SeesAsync("It starts when they finish, or at once with a priority above 0.");
        await Expect(stage.Page.GetByRole(AriaRole.Progressbar, new() { Name = $"Progress of {Scenes.RunningJob}" }))
            .ToHaveAttributeAsync("aria-valuetext", "117 of 200 done");
        await stage.SeesAsync("6.8M parameters");
        await stage.Watched.ScreenshotAsync($"fleet-{name}");
        Assert.False(await ScrollsSidewaysAsync(stage));
        stage.AssertQuiet();
    }

    [Fact]
    public async Task It_follows_the_fleet_without_a_reload()
    {
        var fleet = Scenes.Working();
        await using var stage = await Stage.OpenAsync(chromium, fleet, "/");
        await stage.Page.EvaluateAsync("window.sameDocument = true");
        fleet.Nodes = [.. fleet.Nodes, Samples.Node("mini-3")];
        fleet.Devices = [.. fleet.Devices, Samples.Device("mini-3", "cpu-0") with { TokensPerSecond = 77.7 }];
        var running = fleet.Find(Scenes.RunningJob)!;
        running.Change(running.Info with { Items = new ItemCounts(200, 163, 0) });
        await Stage.SeesAsync(
            stage.Page.GetByRole(AriaRole.Article, new() { Name = "mini-3" }).GetByText("77.7", new() { Exact = true })
        );
        await Expect(stage.Page.GetByRole(AriaRole.Progressbar, new() { Name = $"Progress of {Scenes.RunningJob}" }))
            .ToHaveAttributeAsync("aria-valuenow", "81.5");
        Assert.True(await stage.Page.EvaluateAsync<bool>("window.sameDocument"));
        stage.AssertQuiet();
    }

    [Theory]
    [InlineData("desktop")]
    [InlineData("phone")]
    public async Task What_is_not_in_order_stands_with_its_fix_where_it_belongs(string look)
    {
        await using var stage = await Stage.OpenAsync(
            chromium,
            Scenes.Broken(),
            "/",
            look == "phone" ? Look.Phone : Look.Desktop
        );
        var studio = stage.Page.GetByRole(AriaRole.Article, new() { Name = "studio" });
        var device = studio.GetByRole(AriaRole.List, new() { Name = "What is not in order with studio/egpu-0" });
        await Expect(device.GetByText("restart the Mac if nothing changes")).ToBeVisibleAsync();
        await Expect(device.GetByText("KeyError: 63")).ToBeVisibleAsync();
        var machine = studio.GetByRole(AriaRole.List, new() { Name = "What is not in order on studio" });
        await Expect(machine).ToBeHiddenAsync();
        await studio.GetByText("One check failed").ClickAsync();
        await Expect(machine.GetByText("System Settings > General > Software Update.")).ToBeVisibleAsync();
        await Expect(studio.GetByText("safe to unplug")).ToBeVisibleAsync();
        await stage.Watched.ScreenshotAsync($"fleet-broken-{look}");
        Assert.False(await ScrollsSidewaysAsync(stage));
        stage.AssertQuiet();
    }

    [Fact]
    public async Task An_empty_fleet_teaches_the_next_command()
    {
        await using var stage = await Stage.OpenAsync(chromium, new StubFleet(), "/");
        await stage.SeesAsync("No machine has joined yet");
        await stage.SeesAsync("./fleet up --agents 2");
        await stage.SeesAsync("./fleet submit --model tiny-fleet");
        var models = stage.Page.GetByText("./fleet models add");
        await Stage.SeesAsync(models);
        await stage
            .Page.GetByRole(AriaRole.Button, new() { Name = "Copy the command: ./fleet models add" })
            .ClickAsync();
        await stage.SeesAsync("Copied");
        Assert.Equal(
            await models.TextContentAsync(),
            await stage.Page.EvaluateAsync<string>("navigator.clipboard.readText()")
        );
        await stage.Watched.ScreenshotAsync("fleet-empty");
        stage.AssertQuiet();
    }

    [Fact]
    public async Task An_api_that_fails_is_told_with_what_to_do_and_forgotten_when_it_is_back()
    {
        var fleet = Scenes.Working();
        await using var stage = await Stage.OpenAsync(chromium, fleet, "/");
        fleet.Broken = new ProblemInfo(null, "Unavailable", 503, "The database does not answer.", null, null);
        var alert = stage.Page.GetByRole(AriaRole.Alert);
        await Stage.SeesAsync(alert.GetByText("The fleet is not ready: The database does not answer."));
        await Stage.SeesAsync(alert.GetByText("./fleet nodes"));
        await stage.SeesAsync("Trying again");
        await Stage.SeesAsync(stage.Page.GetByRole(AriaRole.Article, new() { Name = "studio" }));
        await stage.Watched.ScreenshotAsync("fleet-trouble");
        fleet.Broken = null;
        await Expect(alert).ToHaveCountAsync(0);
        await Stage.SeesAsync(stage.Page.GetByText("Live", new() { Exact = true }));
        stage.AssertQuiet();
    }

    [Fact]
    public async Task Text_from_outside_is_shown_never_run()
    {
        const string Hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
        var fleet = Scenes.Working();
        fleet.Devices = [Samples.Device("studio", "egpu-0") with { Name = Hostile, Reason = Hostile }];
        fleet.Models = [Samples.Model(Hostile)];
        await using var stage = await Stage.OpenAsync(chromium, fleet, "/");
        await Stage.SeesAsync(stage.Page.GetByRole(AriaRole.Heading, new() { Name = Hostile }).First);
        await Expect(stage.Page).ToHaveTitleAsync("Fleet · EgpuFleet");
        stage.AssertQuiet();
    }

    [Fact]
    public async Task A_hundred_nodes_are_all_there()
    {
        var nodes = Enumerable.Range(0, 100).Select(index => $"mini-{index:000}").ToList();
        var fleet = new StubFleet
        {
            Nodes = [.. nodes.Select(node => Samples.Node(node))],
            Devices =
            [
                .. nodes.SelectMany(node =>
                    new[] { Samples.Device(node, "cpu-0"), Samples.Device(node, "egpu-0", "external_gpu") }
                ),
            ],
        };
        await using var stage = await Stage.OpenAsync(chromium, fleet, "/");
        await Expect(stage.Page.GetByRole(AriaRole.Article)).ToHaveCountAsync(100);
        fleet.Devices = [.. fleet.Devices.Select(device => device with { TokensPerSecond = 250 })];
        await stage.SeesAsync("50,000");
        stage.AssertQuiet();
    }

    private static Task<bool> ScrollsSidewaysAsync(Stage stage) =>
        stage.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth > document.documentElement.clientWidth");
}
