using EgpuFleet.TestKit.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EgpuFleet.Dashboard.Tests;

public sealed class UsabilityTests(SharedChromium chromium)
{
    // Every element that can be focused has a name; ids are unique; one h1, and no heading level is skipped.
    private const string Faults = """
        () => {
          const faults = [];
          const named = (e) => e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.textContent.trim();
          for (const e of document.querySelectorAll("a[href], button, [role=progressbar], [role=meter], nav, img"))
            if (e.offsetParent && !named(e) && !e.alt) faults.push("no name: " + e.outerHTML.slice(0, 120));
          const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
          for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) faults.push("twice: #" + id);
          const levels = [...document.querySelectorAll("main :is(h1,h2,h3,h4,h5,h6)")].map((e) => +e.tagName[1]);
          if (levels.filter((level) => level === 1).length !== 1) faults.push("h1: " + levels);
          levels.forEach((level, i) => { if (i > 0 && level > levels[i - 1] + 1) faults.push("skipped: " + levels); });
          for (const tag of ["header", "main", "nav"]) if (!document.querySelector(tag)) faults.push("no " + tag);
          return faults;
        }
        """;

    // Contrast of every visible text with what is painted behind it, by the formula of WCAG 2; at least 4.5.
    private const string Pale = """
        () => {
          const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
          const rgba = (css) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
            const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
          const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
          const luminance = (c) => { const l = c.slice(0, 3).map((v) => { v /= 255;
            return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
          const behind = (e) => { const layers = []; for (let n = e; n; n = n.parentElement) {
              const c = rgba(getComputedStyle(n).backgroundColor); layers.push(c); if (c[3] === 1) break; }
            return layers.reduceRight((below, c) => over(c, below), [255, 255, 255, 1]); };
          const pale = new Set();
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const e = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim() || !e.offsetParent || e.closest("[aria-hidden=true], script, style")) continue;
            const ground = behind(e), ink = over(rgba(getComputedStyle(e).color), ground);
            const [a, b] = [luminance(ground), luminance(ink)].sort((x, y) => y - x);
            const ratio = (a + 0.05) / (b + 0.05);
            if (ratio < 4.5) pale.add(`${ratio.toFixed(2)} .${e.className}: ${walker.currentNode.data.trim().slice(0, 40)}`);
          }
          return [...pale];
        }
        """;

    [Theory]
    [InlineData("/", false)]
    [InlineData("/", true)]
    [InlineData("/jobs", false)]
    [InlineData("/jobs", true)]
    [InlineData("/jobs/" + Scenes.RunningJob, false)]
    [InlineData("/jobs/" + Scenes.RunningJob, true)]
    public async Task Pages_are_named_ordered_and_legible(string path, bool dark)
    {
        await using var stage = await Stage.OpenAsync(
            chromium,
            Scenes.Working(),
            path,
            dark ? Look.Night : Look.Desktop
        );
        await Expect(stage.Page.Locator("main .chip").First).ToBeVisibleAsync();
        Assert.Empty(await stage.Page.EvaluateAsync<string[]>(Faults));
        Assert.Empty(await stage.Page.EvaluateAsync<string[]>(Pale));
        stage.AssertQuiet();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/jobs")]
    [InlineData("/jobs/" + Scenes.RunningJob)]
    public async Task A_phone_never_scrolls_sideways(string path)
    {
        await using var stage = await Stage.OpenAsync(chromium, Scenes.Working(), path, Look.Phone);
        await Expect(stage.Page.Locator("main .chip").First).ToBeVisibleAsync();
        Assert.Equal(
            await stage.Page.EvaluateAsync<int>("document.documentElement.clientWidth"),
            await stage.Page.EvaluateAsync<int>("document.documentElement.scrollWidth")
        );
    }

    [Fact]
    public async Task The_first_tab_stop_skips_to_the_content()
    {
        await using var stage = await Stage.OpenAsync(chromium, Scenes.Working(), "/jobs?state=running");
        // The page puts the focus on its heading for those who listen; a keyboard starts at the top.
        await stage.Page.EvaluateAsync("document.activeElement.blur(), window.getSelection().removeAllRanges()");
        var skip = stage.Page.GetByRole(AriaRole.Link, new() { Name = "Skip to the content" });
        await skip.FocusAsync();
        await Expect(skip).ToBeInViewportAsync();
        await stage.Page.Keyboard.PressAsync("Enter");
        await Expect(stage.Page.Locator("#main")).ToBeFocusedAsync();
        await Expect(stage.Page).ToHaveURLAsync(new Uri(stage.Address, "/jobs?state=running").ToString());
    }

    [Fact]
    public async Task The_theme_follows_the_system_until_it_is_chosen()
    {
        await using var stage = await Stage.OpenAsync(chromium, Scenes.Working(), "/");
        var root = stage.Page.Locator("html");
        await Expect(root).ToHaveAttributeAsync("data-theme", "light");
        await stage.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await Expect(root).ToHaveAttributeAsync("data-theme", "dark");
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Switch between light and dark" }).ClickAsync();
        await Expect(root).ToHaveAttributeAsync("data-theme", "light");
        await stage.Page.ReloadAsync();
        await Expect(root).ToHaveAttributeAsync("data-theme", "light");
        stage.AssertQuiet();
    }

    [Fact]
    public async Task A_lost_connection_is_told_and_the_page_comes_back_by_itself()
    {
        await using var stage = await Stage.OpenAsync(chromium, Scenes.Working(), "/jobs?state=running");
        await stage.StopHostAsync();
        await Stage.SeesAsync(stage.Page.GetByRole(AriaRole.Alertdialog, new() { Name = "Connection lost" }));
        await stage.Watched.ScreenshotAsync("connection-lost", whole: false);
        await using var again = await DashboardHost.StartAsync(Scenes.Working(), stage.Address.Port);
        await Expect(stage.Page.Locator(".live-on")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(stage.Page.Locator("tbody tr")).ToHaveCountAsync(1);
        Assert.Empty(stage.Watched.Strangers);
    }
}
