//! Maps from base vectors to a view: ridge in closed form, or by gradient.
