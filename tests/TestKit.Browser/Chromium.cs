using Microsoft.Playwright;

namespace EgpuFleet.TestKit.Browser;

/// <summary>
/// The system's Chromium, driven headless. Where none is installed <see cref="Path"/> is null: tests then skip with
/// <see cref="WhyNot"/>; <c>infra/install-chromium.sh</c> installs one on Debian.
/// </summary>
public sealed class Chromium : IAsyncDisposable
{
    private const string Setting = "EGPUFLEET_CHROMIUM";

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

    private static readonly string[] MacApplications =
    [
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];

    // Headless on a bare machine: no sandbox (root), no GPU, and no traffic of the browser's own.
    private static readonly string[] Arguments =
    [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
    ];

    private readonly IPlaywright playwright;
    private readonly IBrowser browser;

    private Chromium(IPlaywright playwright, IBrowser browser)
    {
        this.playwright = playwright;
        this.browser = browser;
    }

    /// <summary>The browser's executable: <c>EGPUFLEET_CHROMIUM</c>, else the first found on PATH or among applications.</summary>
    public static string? Path { get; } = Find();

    public static string WhyNot =>
        $"No Chromium on PATH (and {Setting} is not set): infra/install-chromium.sh installs it on Debian.";

    /// <summary>Starts the browser; <see cref="Path"/> must not be null.</summary>
    public static async Task<Chromium> LaunchAsync()
    {
        var driver = await Playwright.CreateAsync();
        var chromium = await driver.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = Path, Args = Arguments }
        );
        return new Chromium(driver, chromium);
    }

    /// <summary>Opens a blank page in a profile of its own.</summary>
    public async Task<WatchedPage> OpenAsync(Look look)
    {
        var context = await browser.NewContextAsync(
            new BrowserNewContextOptions
            {
                ColorScheme = look.Dark ? ColorScheme.Dark : ColorScheme.Light,
                ViewportSize = new ViewportSize { Width = look.Width, Height = look.Height },
                DeviceScaleFactor = look.Scale,
                Permissions = ["clipboard-read", "clipboard-write"],
            }
        );
        return new WatchedPage(context, await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Setting) is { Length: > 0 } configured)
            return File.Exists(configured) ? configured : null;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator);
        return Names
            .SelectMany(name => folders.Select(folder => System.IO.Path.Combine(folder, name)))
            .Concat(MacApplications)
            .FirstOrDefault(File.Exists);
    }
}

/// <summary>How a page is looked at: the system's colour scheme and the size of the window in CSS pixels.</summary>
public sealed record Look(bool Dark = false, int Width = 1280, int Height = 900, float Scale = 1)
{
    public static Look Desktop { get; } = new();

    public static Look Night { get; } = new(Dark: true);

    public static Look Phone { get; } = new(Width: 390, Height: 844, Scale: 2);
}
