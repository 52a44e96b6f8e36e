using EgpuFleet.Dashboard.Tests.Stub;
using EgpuFleet.TestKit.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EgpuFleet.Dashboard.Tests;

public sealed class JobsPageTests(SharedChromium chromium)
{
    [Fact]
    public async Task The_filter_is_in_the_url_and_the_url_is_the_filter()
    {
        await using var stage = await Stage.OpenAsync(chromium, Scenes.Working(), "/jobs");
        var rows = stage.Page.Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(5);
        await stage.Watched.ScreenshotAsync("jobs-light");
        var filters = stage.Page.GetByRole(AriaRole.Navigation, new() { Name = "Filter by state" });
        await filters.GetByRole(AriaRole.Link, new() { Name = "Failed" }).ClickAsync();
        await Expect(stage.Page).ToHaveURLAsync(new Uri(stage.Address, "/jobs?state=failed").ToString());
        await Expect(rows).ToHaveCountAsync(1);
        await stage.SeesAsync("The model file on 2 nodes was damaged: sha256 differs.");
        await stage.GoAsync("/jobs?state=running");
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(filters.GetByRole(AriaRole.Link, new() { Name = "Running" }))
            .ToHaveAttributeAsync("aria-current", "true");
        await stage.Page.GoBackAsync();
        await stage.SeesAsync("The model file on 2 nodes was damaged: sha256 differs.");
        stage.AssertQuiet();
    }

    [Fact]
    public async Task Older_jobs_are_a_page_of_their_own_with_a_url()
    {
        var fleet = new StubFleet();
        for (var i = 0; i < Limits.JobsPerPage + 3; i++)
            fleet.Add(Samples.Job($"job_{i:0000}", "succeeded", 1, 1, TimeSpan.FromMinutes(i)));
        await using var stage = await Stage.OpenAsync(chromium, fleet, "/jobs?state=succeeded");
        var rows = stage.Page.Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(Limits.JobsPerPage);
        await stage.Page.GetByRole(AriaRole.Link, new() { Name = "Older" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(3);
        await Expect(stage.Page)
            .ToHaveURLAsync(new Uri(stage.Address, "/jobs?state=succeeded&after=job_0024").ToString());
        await stage.Page.ReloadAsync();
        await Expect(rows).ToHaveCountAsync(3);
        await stage.Page.GetByRole(AriaRole.Link, new() { Name = "Newest" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(Limits.JobsPerPage);
        stage.AssertQuiet();
    }

    [Fact]
    public async Task A_new_job_appears_by_itself_and_opens_by_keyboard()
    {
        var fleet = new StubFleet();
        await using var stage = await Stage.OpenAsync(chromium, fleet, "/jobs", Look.Phone);
        await stage.SeesAsync("Nothing has been submitted yet");
        await stage.SeesAsync("./fleet submit --model");
        fleet.Add(Samples.Job("job_new", "queued"));
        var link = stage.Page.GetByRole(AriaRole.Link, new() { Name = "job_new" });
        await Stage.SeesAsync(link);
        await link.FocusAsync();
        await stage.Page.Keyboard.PressAsync("Enter");
        await Stage.SeesAsync(stage.Page.GetByRole(AriaRole.Heading, new() { Name = "job_new", Level = 1 }));
        stage.AssertQuiet();
    }
}
