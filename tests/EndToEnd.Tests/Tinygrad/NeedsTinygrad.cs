namespace EgpuFleet.EndToEnd.Tests.Tinygrad;

/// <summary>What the tests of the tinygrad engine need beside the checkout of this repository.</summary>
internal static class NeedsTinygrad
{
    private const string Variable = "EGPUFLEET_TINYGRAD";

    /// <summary>Skips the test, saying how to let it run.</summary>
    public static void Require()
    {
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable(Variable) is null or "",
            $"{Variable} is not set; check out tinygrad at a9069c177 and set it to that folder"
        );
        SharedFleet.SkipWithoutReferenceModel();
    }
}
