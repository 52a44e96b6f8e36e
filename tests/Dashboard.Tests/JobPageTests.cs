using EgpuFleet.Api;
using EgpuFleet.TestKit.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EgpuFleet.Dashboard.Tests;

public sealed class JobPageTests(SharedChromium chromium)
{
    private const string Path = "/jobs/" + Scenes.RunningJob;

    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    [InlineData("phone")]
    public async Task It_shows_shards_log_and_results(string name)
    {
        var look = name switch
        {
            "dark" => Look.Night,
            "phone" => Look.Phone,
            _ => Look.Desktop,
        };
        await using var stage = await Stage.OpenAsync(chromium, Scenes.Working(), Path, look);
        await stage.SeesAsync("The node went silent for 10 s.");
        await Expect(stage.Page.Locator(".bar-finished:not(.swatch)")).ToHaveCountAsync(4);
        await Expect(stage.Page.Locator(".bar-requeued:not(.swatch)"))
            .ToHaveAttributeAsync("title", "Shard 2, attempt 1, 25 items: requeued, 28 s");
        await Expect(stage.Page.Locator(".log-line")).ToHaveCountAsync(14);
        await Expect(stage.Page.Locator(".result")).ToHaveCountAsync(Limits.PreviewResults);
        await stage.SeesAsync("The first 5 of 117; the file has them all.");
        await stage.Watched.ScreenshotAsync($"job-{name}");
        stage.AssertQuiet();
    }

    [Fact]
    public async Task It_follows_the_job_by_its_events_without_a_reload()
    {
        var fleet = Scenes.Working();
        await using var stage = await Stage.OpenAsync(chromium, fleet, Path);
        await Expect(stage.Page.Locator(".log-line")).ToHaveCountAsync(14);
        var job = fleet.Find(Scenes.RunningJob)!;
        job.Change(
            job.Info with
            {
                Items = new ItemCounts(200, 142, 0),
            },
            Samples.Event(15, "shard_finished", 0, 4, "mini-1/cpu-0", 2)
        );
        await Expect(stage.Page.Locator(".log-line")).ToHaveCountAsync(15);
        await Expect(stage.Page.GetByRole(AriaRole.Progressbar)).ToHaveAttributeAsync("aria-valuenow", "71");
        // The stream breaks and misses two lines; the page asks for what came after the last one it has.
        job.Disconnect();
        job.Change(job.Info, Samples.Event(16, "shard_finished", 0, 5, "studio/egpu-0"));
        job.Change(
            job.Info with
            {
                State = "succeeded",
                FinishedAt = Samples.Now,
                Items = new ItemCounts(200, 200, 0),
            },
            Samples.Event(17, "succeeded", 0)
        );
        await Expect(stage.Page.Locator(".log-line")).ToHaveCountAsync(17);
        await Stage.SeesAsync(stage.Page.Locator(".job-head").GetByText("Succeeded"));
        await Expect(stage.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel job" })).ToHaveCountAsync(0);
        stage.AssertQuiet();
    }

    [Fact]
    public async Task Cancelling_asks_first_and_then_tells_the_api()
    {
        var fleet = Scenes.Working();
        await using var stage = await Stage.OpenAsync(chromium, fleet, Path);
        var cancel = stage.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel job" });
        await cancel.ClickAsync();
        await stage.SeesAsync("Results that are done are kept.");
        await stage.Watched.ScreenshotAsync("job-cancel", whole: false);
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Let it run" }).ClickAsync();
        Assert.Equal("running", fleet.Find(Scenes.RunningJob)!.Info.State);
        await cancel.ClickAsync();
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel the job" }).ClickAsync();
        await Stage.SeesAsync(stage.Page.Locator(".job-head").GetByText("Cancelled"));
        await stage.SeesAsync("Cancelled on request.");
        Assert.Equal("cancelled", fleet.Find(Scenes.RunningJob)!.Info.State);
        stage.AssertQuiet();
    }

    [Fact]
    public async Task A_running_job_can_be_paused_and_resumed()
    {
        var fleet = Scenes.Working();
        await using var stage = await Stage.OpenAsync(chromium, fleet, Path);
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Stage.SeesAsync(stage.Page.Locator(".job-head").GetByText("Paused"));
        await stage.Watched.ScreenshotAsync("job-paused", whole: false);
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Stage.SeesAsync(stage.Page.Locator(".job-head").GetByText("Running"));
        Assert.Equal("running", fleet.Find(Scenes.RunningJob)!.Info.State);
        stage.AssertQuiet();
    }

    [Fact]
    public async Task The_reason_of_a_waiting_job_changes_without_an_event()
    {
        var fleet = new Stub.StubFleet();
        var job = fleet.Add(
            Samples.Job("job_waits", "queued") with
            {
                Reason = new WaitReason("NoMatchingDevice", "No device is ready.", "Start an agent."),
            }
        );
        await using var stage = await Stage.OpenAsync(chromium, fleet, "/jobs/job_waits");
        await stage.SeesAsync("Waiting: No device is ready.");
        await stage.SeesAsync("Start an agent.");
        job.Hush(job.Info with { Reason = new WaitReason("WaitingForWeights", "The node fetches the model.", null) });
        await stage.SeesAsync("Waiting: The node fetches the model.");
        stage.AssertQuiet();
    }

    [Fact]
    public async Task Results_are_downloaded_from_the_api()
    {
        await using var stage = await Stage.OpenAsync(chromium, Scenes.Working(), Path);
        var download = await stage.Page.RunAndWaitForDownloadAsync(() =>
            stage.Page.GetByRole(AriaRole.Link, new() { Name = "Download as JSONL" }).ClickAsync()
        );
        Assert.Equal($"{Scenes.RunningJob}.jsonl", download.SuggestedFilename);
        using var reader = new StreamReader(await download.CreateReadStreamAsync());
        var lines = (await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n');
        Assert.Contains("\"custom_id\":\"prompt-0\"", lines[0], StringComparison.Ordinal);
        stage.AssertQuiet();
    }

    // A guard against a hang: a stream that stays open holds the host up for its whole shutdown timeout of 30 s.
    [Fact(Timeout = 20_000)]
    public async Task A_watched_job_does_not_hold_up_a_host_that_stops()
    {
        await using var stage = await Stage.OpenAsync(chromium, Scenes.Working(), Path);
        await Expect(stage.Page.Locator(".log-line")).ToHaveCountAsync(14);
        await stage.Watched.DisposeAsync();
        await stage.StopHostAsync().AsTask().WaitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_job_that_is_not_there_is_said_to_be_missing()
    {
        await using var stage = await Stage.OpenAsync(chromium, Scenes.Working(), "/jobs/job_nowhere");
        await Stage.SeesAsync(stage.Page.GetByRole(AriaRole.Heading, new() { Name = "There is no job job_nowhere" }));
        await stage.Page.GetByRole(AriaRole.Link, new() { Name = "See all jobs" }).ClickAsync();
        await Expect(stage.Page.Locator("tbody tr")).ToHaveCountAsync(5);
        stage.AssertQuiet();
    }
}
