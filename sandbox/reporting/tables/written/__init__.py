"""One table in each way of writing it: `render` is the door, `folded` fits a table into a width."""
