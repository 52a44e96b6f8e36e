using EgpuFleet.Grains.Ports;
using EgpuFleet.TestKit.Ledgers;

namespace EgpuFleet.Contracts.Tests.Ledger;

public sealed class InMemoryLedgerTests : LedgerContract
{
    private protected override ILedger Ledger { get; } = new InMemoryLedger(TimeProvider.System);
}
