using EgpuFleet.Dashboard.Tests.Stub;
using EgpuFleet.TestKit.Browser;

namespace EgpuFleet.Dashboard.Tests;

public sealed class ScreenshotTests
{
    [Fact]
    public async Task Shots()
    {
        var fleet = Scenes.Working();
        await using var host = await DashboardHost.StartAsync(fleet);
        await using var chromium = await Chromium.LaunchAsync();
        foreach (var (name, look) in new[] { ("light", Look.Desktop), ("dark", Look.Night), ("phone", Look.Phone) })
        {
            await using var page = await chromium.OpenAsync(look);
            await page.Page.GotoAsync(host.Address.ToString());
            await page.Page.GetByText("Live", new() { Exact = true }).WaitForAsync();
            await page.ScreenshotAsync($"fleet-{name}");
            await page.Page.GotoAsync(new Uri(host.Address, "/jobs/" + Scenes.RunningJob).ToString());
            await page.Page.GetByText("Live", new() { Exact = true }).WaitForAsync();
            await page.Page.GetByText("Shard requeued").WaitForAsync();
            await page.ScreenshotAsync($"job-{name}");
            await page.Page.GotoAsync(new Uri(host.Address, "/jobs").ToString());
            await page.Page.GetByText("Live", new() { Exact = true }).WaitForAsync();
            await page.ScreenshotAsync($"jobs-{name}");
            Assert.Empty(page.Errors);
            Assert.Empty(page.Strangers);
        }
    }
}
