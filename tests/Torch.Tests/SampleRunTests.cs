using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Torch.SampleModel;
using EgpuFleet.Kernels.Torch.Training;

namespace EgpuFleet.Torch.Tests;

public sealed class SampleRunTests : IDisposable
{
    private static readonly SampleRecipe Recipe = new(
        "run",
        Documents: 300,
        HeldOutDocuments: 60,
        TinyModels.Config with
        {
            Context = 160,
        },
        new TrainingOptions(Steps: 2, BatchRows: 2, RowTokens: 48, PeakRate: 1e-3, WarmUpSteps: 1, Seed: 6)
    );

    private readonly string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".gguf");

    [Fact]
    public void A_run_goes_from_text_to_a_readable_model()
    {
        using var log = new StringWriter();
        new SampleRun(Recipe, log, TimeProvider.System).Execute(path, TestContext.Current.CancellationToken);
        using var file = File.OpenRead(path);
        Assert.Equal("run", GgufModelFacts.From(GgufReader.Open(file)).Name);
        Assert.Contains("step 2: held-out loss", log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_is_cut_still_writes_its_model()
    {
        using var log = new StringWriter();
        new SampleRun(Recipe, log, TimeProvider.System).Execute(path, new CancellationToken(canceled: true));
        Assert.Contains("step 0: held-out loss", log.ToString(), StringComparison.Ordinal);
        Assert.True(File.Exists(path));
    }

    public void Dispose() => File.Delete(path);
}
