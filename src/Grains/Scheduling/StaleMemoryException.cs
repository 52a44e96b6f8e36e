namespace EgpuFleet.Grains.Scheduling;

/// <summary>The leader's memory and the ledger disagree: the leader forgets what it knows and reads it again.</summary>
internal sealed class StaleMemoryException(string message) : Exception(message);
