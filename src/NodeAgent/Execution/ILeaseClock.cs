namespace EgpuFleet.NodeAgent.Execution;

/// <summary>Time for lease deadlines: it also counts while the machine sleeps, and no person or server sets it.</summary>
public interface ILeaseClock
{
    /// <summary>Time since some fixed moment of this boot.</summary>
    TimeSpan Now { get; }
}
