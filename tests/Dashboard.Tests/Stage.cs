using EgpuFleet.Dashboard.Tests.Stub;
using EgpuFleet.TestKit.Browser;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(EgpuFleet.Dashboard.Tests.SharedChromium))]

namespace EgpuFleet.Dashboard.Tests;

/// <summary>One browser for all tests of this program; each test has a profile of its own.</summary>
public sealed class SharedChromium : IAsyncLifetime
{
    private Chromium? chromium;

    /// <summary>The browser; a machine without one skips the test, and says why.</summary>
    public Chromium Browser
    {
        get
        {
            Assert.SkipWhen(chromium is null, Chromium.WhyNot);
            return chromium;
        }
    }

    public async ValueTask InitializeAsync() => chromium = Chromium.Path is null ? null : await Chromium.LaunchAsync();

    public async ValueTask DisposeAsync()
    {
        if (chromium is not null)
            await chromium.DisposeAsync();
    }
}

/// <summary>The dashboard over a stub of the API, and a page that looks at it.</summary>
public sealed class Stage : IAsyncDisposable
{
    private readonly DashboardHost host;

    private Stage(DashboardHost dashboard, WatchedPage watched) => (host, Watched) = (dashboard, watched);

    public WatchedPage Watched { get; }

    public IPage Page => Watched.Page;

    public Uri Address => host.Address;

    public static async Task<Stage> OpenAsync(SharedChromium chromium, StubFleet fleet, string path, Look? look = null)
    {
        var browser = chromium.Browser;
        var dashboard = await DashboardHost.StartAsync(fleet);
        var stage = new Stage(dashboard, await browser.OpenAsync(look ?? Look.Desktop));
        await stage.GoAsync(path);
        return stage;
    }

    /// <summary>Loads a page and waits until it is live, not only painted.</summary>
    public async Task GoAsync(string path)
    {
        await Page.GotoAsync(new Uri(Address, path).ToString());
        await Page.Locator(".live-on, .live-off").WaitForAsync();
    }

    public static Task SeesAsync(ILocator locator) => Assertions.Expect(locator).ToBeVisibleAsync();

    public Task SeesAsync(string text) => SeesAsync(Page.GetByText(text).First);

    /// <summary>The stop of the host alone, as when the silo is killed.</summary>
    public ValueTask StopHostAsync() => host.DisposeAsync();

    /// <summary>No console error, nothing asked of another machine.</summary>
    public void AssertQuiet()
    {
        Assert.Empty(Watched.Errors);
        Assert.Empty(Watched.Strangers);
    }

    public async ValueTask DisposeAsync()
    {
        await Watched.DisposeAsync();
        await host.DisposeAsync();
    }
}
