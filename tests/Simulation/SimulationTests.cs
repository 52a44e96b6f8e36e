namespace EgpuFleet.Simulation.Tests;

/// <summary>Hundreds of fleets, each with its own faults: whatever goes wrong, the promises hold.</summary>
public sealed class SimulationTests
{
    [Fact]
    public void Promises_hold_whatever_goes_wrong()
    {
        var campaign = Campaign.FromEnvironment();
        var red = campaign.Run(TestContext.Current.CancellationToken);
        TestContext.Current.SendDiagnosticMessage(campaign.Summary);
        Assert.True(red.Count == 0, red.Count == 0 ? null : campaign.Describe(red));
        Assert.Null(campaign.WhatNeverHappened());
    }
}
