using EgpuFleet.TestKit.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EgpuFleet.Dashboard.Tests;

public sealed class FineTuningPageTests(SharedChromium chromium)
{
    private const string Path = "/fine-tuning/" + TrainingScene.Id;

    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    [InlineData("phone")]
    public async Task It_shows_losses_figures_samples_checkpoints_and_the_story(string name)
    {
        var look = name switch
        {
            "dark" => Look.Night,
            "phone" => Look.Phone,
            _ => Look.Desktop,
        };
        await using var stage = await Stage.OpenAsync(chromium, TrainingScene.Training(), Path, look);
        await stage.SeesAsync("2,507");
        await Stage.SeesAsync(stage.Page.GetByText("steps").First);
        await Expect(stage.Page.Locator(".chart-line")).ToHaveCountAsync(2);
        await Expect(stage.Page.Locator(".checkpoints tbody tr")).ToHaveCountAsync(3);
        await Expect(stage.Page.Locator(".log-line")).ToHaveCountAsync(5);
        await stage.SeesAsync("when the run has ended");
        Assert.False(
            await stage.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth > window.innerWidth"),
            "The page is wider than the window."
        );
        await stage.Watched.ScreenshotAsync($"fine-tuning-{name}");
        stage.AssertQuiet();
    }

    [Fact]
    public async Task The_curve_goes_on_while_somebody_looks()
    {
        var fleet = TrainingScene.Training();
        await using var stage = await Stage.OpenAsync(chromium, fleet, Path);
        var run = fleet.Trainings[0];
        run.Step(221, 1.9, 2.0);
        run.Say("After: \"Speak, citizen.\" -> \"What, man! the gods be good\"");
        run.Info = TrainingScene.Info(221) with
        {
            Status = "succeeded",
            FineTunedModel = TrainingScene.Result,
            Egpufleet = TrainingScene.Info(221).Egpufleet with { Phase = "succeeded" },
        };
        await stage.SeesAsync("What, man! the gods be good");
        await Stage.SeesAsync(stage.Page.Locator(".job-head").GetByText("Succeeded"));
        await Expect(stage.Page.GetByRole(AriaRole.Img, new() { Name = "1.90 at step 221; validation loss 2.00" }))
            .ToBeVisibleAsync();
        await Expect(stage.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel run" })).ToHaveCountAsync(0);
        stage.AssertQuiet();
    }

    [Fact]
    public async Task It_is_paused_resumed_and_cancelled_after_a_question()
    {
        var fleet = TrainingScene.Training();
        await using var stage = await Stage.OpenAsync(chromium, fleet, Path);
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await Stage.SeesAsync(stage.Page.Locator(".job-head").GetByText("Paused"));
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Stage.SeesAsync(stage.Page.Locator(".job-head").GetByText("Running"));
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel run" }).ClickAsync();
        await stage.SeesAsync("Its checkpoints are kept");
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel the run" }).ClickAsync();
        await Stage.SeesAsync(stage.Page.Locator(".job-head").GetByText("Cancelled"));
        stage.AssertQuiet();
    }

    [Fact]
    public async Task Checkpoints_are_verified_and_served_from_the_page()
    {
        await using var stage = await Stage.OpenAsync(chromium, TrainingScene.Training(), Path);
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Verify the checkpoint of step 120" }).ClickAsync();
        await stage.SeesAsync("The checkpoint of step 120 is intact: 252 chunks.");
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Verify the checkpoint of step 60" }).ClickAsync();
        await stage.SeesAsync("The checkpoint of step 60 is damaged");
        await Stage.SeesAsync(stage.Page.Locator(".checkpoints").GetByText("Damaged"));
        await stage.Page.GetByRole(AriaRole.Button, new() { Name = "Serve the checkpoint of step 180" }).ClickAsync();
        await stage.SeesAsync($"Served as {TrainingScene.Result}:ckpt-step-180.");
        await Expect(stage.Page.GetByRole(AriaRole.Button, new() { Name = "Serve the checkpoint" }))
            .ToHaveCountAsync(1);
        await stage.Watched.ScreenshotAsync("fine-tuning-checkpoints");
        stage.AssertQuiet();
    }

    [Fact]
    public async Task The_list_of_jobs_leads_there_and_it_leads_to_its_attempts()
    {
        await using var stage = await Stage.OpenAsync(chromium, TrainingScene.Training(), "/jobs");
        await stage.Page.GetByRole(AriaRole.Link, new() { Name = TrainingScene.Job }).ClickAsync();
        await Stage.SeesAsync(stage.Page.GetByRole(AriaRole.Heading, new() { Name = TrainingScene.Id }));
        await stage.Page.GetByRole(AriaRole.Link, new() { Name = "Attempts over devices" }).ClickAsync();
        await stage.Page.GetByRole(AriaRole.Link, new() { Name = "Loss and checkpoints" }).ClickAsync();
        await Stage.SeesAsync(stage.Page.GetByRole(AriaRole.Heading, new() { Name = TrainingScene.Id }));
        stage.AssertQuiet();
    }

    [Fact]
    public async Task One_that_is_not_there_is_said_to_be_missing()
    {
        await using var stage = await Stage.OpenAsync(chromium, TrainingScene.Training(), "/fine-tuning/ftjob-nowhere");
        await Stage.SeesAsync(
            stage.Page.GetByRole(AriaRole.Heading, new() { Name = "There is no fine-tuning ftjob-nowhere" })
        );
    }
}
