using System.Text.RegularExpressions;
using EgpuFleet.Api;
using EgpuFleet.TestKit.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>The dashboard of a real fleet in a real browser, while a batch runs and after it.</summary>
public sealed partial class DashboardTests(SharedFleet shared)
{
    [Fact]
    public async Task It_shows_nodes_devices_and_a_job_live()
    {
        Assert.SkipWhen(Chromium.Path is null, Chromium.WhyNot);
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var chromium = await Chromium.LaunchAsync();
        await using var watched = await chromium.OpenAsync(Look.Desktop);
        await watched.Page.GotoAsync(shared.Fleet.Http.BaseAddress!.ToString());
        await Expect(watched.Page.GetByText("Live", new() { Exact = true })).ToBeVisibleAsync();
        var items = Enumerable
            .Range(0, 200)
            .Select(index => new BatchLine($"tale-{index}", Prompt: "The little fox"))
            .ToList();

        var job = await shared.Fleet.Client.SubmitAsync(
            new JobRequest(
                "batch",
                SharedFleet.SampleModel,
                new GenerationOptions(MaxTokens: 96, Temperature: 0.8, Seed: 3),
                Items: items
            ),
            null,
            cancellationToken
        );

        // The page was open before the job was: what is seen now came without a reload.
        foreach (var node in new[] { "local-1", "local-2" })
            await Expect(watched.Page.GetByRole(AriaRole.Article, new() { Name = node })).ToBeVisibleAsync();
        await Expect(watched.Page.GetByText(job.Id).First).ToBeVisibleAsync();
        var running = watched.Page.GetByRole(AriaRole.Link, new() { NameRegex = RunningShard() });
        await Expect(running.First).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await watched.ScreenshotAsync("fleet-real");

        await watched.Page.GotoAsync($"{shared.Fleet.Http.BaseAddress}jobs/{job.Id}");
        await Expect(watched.Page.GetByText("Succeeded").First).ToBeVisibleAsync(new() { Timeout = 90_000 });
        await Expect(watched.Page.GetByText("tale-0", new() { Exact = true })).ToBeVisibleAsync();
        await watched.ScreenshotAsync("job-real");
        Assert.Empty(watched.Errors);
        Assert.Empty(watched.Strangers);
    }

    [GeneratedRegex("^Shard [0-9]+", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex RunningShard();
}
