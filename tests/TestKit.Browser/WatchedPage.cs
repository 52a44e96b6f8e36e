using System.Collections.Concurrent;
using System.Net;
using Microsoft.Playwright;

namespace EgpuFleet.TestKit.Browser;

/// <summary>A page whose console errors, failed requests and requests that leave loopback are kept.</summary>
public sealed class WatchedPage : IAsyncDisposable
{
    private readonly IBrowserContext context;
    private readonly ConcurrentQueue<string> errors = new();
    private readonly ConcurrentQueue<string> strangers = new();

    internal WatchedPage(IBrowserContext context, IPage page)
    {
        this.context = context;
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                errors.Enqueue($"{message.Text} ({message.Location})");
        };
        page.PageError += (_, error) => errors.Enqueue(error);
        context.Request += (_, request) => Judge(request.Url);
        page.WebSocket += (_, socket) => Judge(socket.Url);
    }

    public IPage Page { get; }

    /// <summary>What the page wrote to the console as an error, or threw.</summary>
    public IReadOnlyCollection<string> Errors => errors;

    /// <summary>Addresses outside this machine that the page asked for.</summary>
    public IReadOnlyCollection<string> Strangers => strangers;

    /// <summary>Saves the page under <c>artifacts/screenshots/</c> and answers the file's path.</summary>
    /// <param name="whole">The whole page, from its top; else what the window shows, as where a dialog covers it.</param>
    public async Task<string> ScreenshotAsync(string name, bool whole = true)
    {
        if (whole)
            await Page.EvaluateAsync("window.scrollTo(0, 0)");
        var path = RepositoryPaths.At("artifacts", "screenshots", name + ".png");
        await Page.ScreenshotAsync(
            new PageScreenshotOptions
            {
                Path = path,
                FullPage = whole,
                Animations = ScreenshotAnimations.Disabled,
            }
        );
        return path;
    }

    public ValueTask DisposeAsync() => context.DisposeAsync();

    private void Judge(string address)
    {
        var uri = new Uri(address);
        var local =
            uri.Scheme is "data" or "blob" || (IPAddress.TryParse(uri.Host, out var ip) && IPAddress.IsLoopback(ip));
        if (!local)
            strangers.Enqueue(address);
    }
}
