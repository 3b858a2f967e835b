"""Shows each breach a second time, from nothing, before it is told, as short and plain as can be."""
